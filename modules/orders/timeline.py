"""The timeline of an order: one entry per event that concerns it, own and foreign."""

from typing import Any

from pydantic import BaseModel

from django_seams.events import Envelope, sensitive_fields
from modules.orders.models import Order, TimelineEntry

Changes = dict[str, list[Any]]
"""Field of the order -> ``[before, after]``; empty when nothing changed."""


def entry(*, order: Order, event: BaseModel, envelope: Envelope, changed: Changes) -> TimelineEntry:
    """An unsaved entry. What an event changed is shown once: at the foreign event that caused it, or
    at our own when the customer or the deadline did.
    """
    return TimelineEntry(
        order=order,
        event_id=envelope.id,
        type=envelope.type,
        occurred_at=envelope.time,
        changed=changed,
        facts=_facts(event),
    )


def _facts(event: BaseModel) -> dict[str, Any]:
    """The event's body as JSON, without its key, which the entry has, and without what is sensitive."""
    return event.model_dump(mode="json", exclude={"order_id", *sensitive_fields(type(event))})
