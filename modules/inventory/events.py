"""What inventory publishes. Free of Django; `contracts/events/` holds the schemas made from this."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from django_seams.events import Event
from modules.inventory.types import SKU_PATTERN

MAX_PRICE_MINOR = 10**12


class ProductUpdated(Event, type="inventory.product_updated.v1", key="sku"):
    """A product is on offer as it is described here.

    Sent for a new product, after every change, and again on request for a replica that is empty.
    `version` grows per SKU; a replica keeps the greatest. `unit_price_minor` is in minor units.
    """

    sku: str = Field(pattern=SKU_PATTERN)
    name: str = Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")
    unit_price_minor: int = Field(gt=0, le=MAX_PRICE_MINOR)
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")
    version: int = Field(ge=1)


class StockReserved(Event, type="inventory.stock_reserved.v1", key="order_id"):
    """All lines of a paid order are held for it, until it is confirmed or cancelled."""

    order_id: UUID


class MissingLine(BaseModel):
    """A line that could not be held: `available` is 0 for a SKU that inventory does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sku: str
    requested: int
    available: int


class StockRejected(Event, type="inventory.stock_rejected.v1", key="order_id"):
    """Nothing is held for a paid order, because the lines in `missing` were not on hand."""

    order_id: UUID
    missing: list[MissingLine]
