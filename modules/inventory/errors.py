"""What inventory refuses. The message says what to do next."""


class InventoryError(Exception):
    """Something in inventory was refused."""


class InvalidProductError(InventoryError):
    """A product does not fit `events.ProductUpdated`; the message names the fields."""


class InvalidReceiptError(InventoryError):
    """A receipt of stock has a quantity or a reference that cannot be booked."""


class UnknownSkuError(InventoryError):
    """No product has this SKU; put the product first."""


class ReceiptConflictError(InventoryError):
    """The same reference was booked before with another quantity."""


class ConfirmedButMissingError(InventoryError):
    """A confirmed order's lines are not on hand; receive the stock, then replay the delivery."""


class ContradictedOrderError(InventoryError):
    """An order was confirmed and cancelled; orders publishes only one of the two."""


class StockDisagreesError(InventoryError):
    """A stock row holds fewer pieces than the reservation says; nothing was moved."""
