"""Put deliveries into payments' inbox by hand, with handlers that live for one test."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from django.db import connections

from django_seams.bus import subscribed
from django_seams.events import Envelope, View
from django_seams.inbox import NewDelivery, append
from django_seams.models import Delivery, Lane

EVENT = "orders.order_placed.v1"
ALIAS = "payments"


class Seen(View):
    """What these tests look at."""

    n: int


def headers(*, event_id: uuid.UUID, key: str, time: datetime | None = None) -> dict[str, str]:
    return {
        "id": str(event_id),
        "source": "/modules/orders",
        "subject": key,
        "time": (time or datetime.now(UTC)).isoformat(),
    }


def delivery(n: int, *, key: str = "k", handler: str = "payments.note", **more) -> NewDelivery:
    event_id = more.pop("event_id", None) or uuid.uuid4()
    return NewDelivery(
        event_id=event_id,
        type=EVENT,
        module="payments",
        key=key,
        handler=handler,
        body={"n": n},
        headers=headers(event_id=event_id, key=key, time=more.pop("time", None)),
        compensates=more.pop("compensates", False),
    )


def arrive(*deliveries: NewDelivery) -> None:
    with connections[ALIAS].cursor() as cursor:
        append(cursor, source="orders", deliveries=list(deliveries))


@contextmanager
def handlers(**calls: Callable[[Seen, Envelope], None]) -> Iterator[None]:
    """Subscribe functions under the given names for the length of a ``with``."""
    with ExitStack() as stack:
        for name, call in calls.items():
            stack.enter_context(subscribed(EVENT, _named(name, call), module="payments"))
        yield


def _named(name: str, call: Callable[[Seen, Envelope], None]) -> Callable[[Seen, Envelope], None]:
    def handler(event: Seen, envelope: Envelope) -> None:
        call(event, envelope)

    handler.__name__ = name
    return handler


def lanes() -> list[tuple[str, bool]]:
    return list(Lane.objects.using(ALIAS).order_by("key").values_list("key", "parked"))


def waiting() -> int:
    return Delivery.objects.using(ALIAS).filter(state="waiting").count()


def dead() -> list[Delivery]:
    return list(Delivery.objects.using(ALIAS).filter(state="dead").order_by("id"))
