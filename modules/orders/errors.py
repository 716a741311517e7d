"""What orders refuses. Each message says what to do next."""


class OrdersError(Exception):
    """Orders refused something."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or type(self).__name__).strip().splitlines()[0])


class UnknownOrderError(OrdersError):
    """No such order. Check the id; orders of other customers are not shown."""


class OrderAlreadyConfirmedError(OrdersError):
    """The order is confirmed and can no longer be cancelled; ask for a return instead."""


class OrderRefusedError(OrdersError):
    """The order is well formed but cannot be placed. ``field`` names the part of the body to change."""

    def __init__(self, message: str | None = None, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownSkuError(OrderRefusedError):
    """The catalogue does not know this SKU; choose one from /api/v1/products."""


class CurrencyMismatchError(OrderRefusedError):
    """The product is sold in another currency; order in that one."""


class TotalTooLargeError(OrderRefusedError):
    """The total is larger than an amount can be; order fewer items."""


class IdempotencyError(OrdersError):
    """The Idempotency-Key cannot be used for this request."""


class KeyMissingError(IdempotencyError):
    """Send an Idempotency-Key header: a new random value for each order, the same one when you retry."""


class KeyMalformedError(IdempotencyError):
    """Idempotency-Key must be 1 to 255 visible ASCII characters without spaces; a UUID will do."""


class KeyInFlightError(IdempotencyError):
    """A request with this Idempotency-Key is still being worked on; send it again in a second."""


class KeyReusedError(IdempotencyError):
    """This Idempotency-Key was used with another body; use a new key for a new order."""
