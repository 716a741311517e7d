"""Write events into ``published`` so that ``seq`` is commit order for every key."""

import json
import secrets
import uuid
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from typing import Any

from django.db import connections
from django.utils import timezone
from django_outbox_pattern.headers import get_message_headers
from django_outbox_pattern.models import Published
from pydantic import ValidationError

from django_seams.bus import current_envelope
from django_seams.errors import SeamsError
from django_seams.events import Envelope, Event, module_of
from django_seams.modules import in_transaction, module_named

# Two transactions that publish events of one key must not interleave: whoever gets its lock first
# also gets the lower seq, and holds the lock until its commit is visible. The locks are taken in
# sorted order, so that two publishers of the same keys cannot wait for each other, and before the
# first row gets its seq, since no row can join `held` until that has counted them all.
# The columns and their values are those of django-outbox-pattern's model.
_PUBLISH = """
WITH held AS MATERIALIZED (
    SELECT count(pg_advisory_xact_lock(lock)) FROM unnest(%(locks)s::bigint[]) AS lock
)
INSERT INTO published (id, destination, body, headers, added, expires_at, retry, status)
SELECT id, destination, body, headers, %(now)s, %(now)s + interval '1 day', 0, 1
FROM held, ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb)
                      AS (id uuid, destination text, body jsonb, headers jsonb))
           WITH ORDINALITY AS new (id, destination, body, headers, nth)
ORDER BY nth
"""


class PublishOutsideTransactionError(SeamsError):
    """publish() was called without an open transaction on the publisher's database; use atomic("<module>")."""


class EventRefusedError(SeamsError):
    """An event does not fit its own schema."""


def publish(*events: Event) -> list[Envelope]:
    """Write events to the outbox of their module, in the caller's transaction.

    Answers their envelopes in the given order. Raises PublishOutsideTransactionError when the
    caller has no transaction open on the module's database, EventRefusedError when an event does
    not fit its schema; then nothing is written.
    """
    now = timezone.now()
    cause = current_envelope()
    written = [(event, _envelope(_checked(event), cause, now)) for event in events]
    for alias, pairs in groupby(written, key=lambda pair: _open_alias(pair[0])):
        _write(alias, list(pairs))
    return [envelope for _, envelope in written]


def _checked(event: Event) -> Event:
    if not isinstance(event, Event):
        raise EventRefusedError(f"publish() takes events, not {type(event).__name__}.")
    try:
        type(event).model_validate(event.model_dump(warnings=False))
    except ValidationError as error:
        raise EventRefusedError(f"{event.event_type} does not fit its schema and was not published: {error}") from None
    return event


def _open_alias(event: Event) -> str:
    module = module_named(module_of(event.event_type))
    if not in_transaction(module.alias):
        raise PublishOutsideTransactionError(
            f"{event.event_type} was published outside a transaction on {module.alias!r}; "
            f'wrap the change and publish() in django_seams.modules.atomic("{module.name}").'
        )
    return module.alias


def _envelope(event: Event, cause: Envelope | None, now: datetime) -> Envelope:
    return Envelope(
        id=uuid.uuid4(),
        type=event.event_type,
        source=f"/modules/{module_of(event.event_type)}",
        subject=event.subject,
        time=now,
        traceparent=_traceparent(cause),
        causation_id=cause.id if cause else None,
        correlation_id=cause.correlation_id if cause else None,
    )


def _traceparent(cause: Envelope | None) -> str:
    """A W3C Trace Context header: the trace of the cause, or a new one, and a span id of its own."""
    trace = cause.traceparent.split("-")[1] if cause and cause.traceparent else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"


def _write(alias: str, pairs: list[tuple[Event, Envelope]]) -> None:
    locks = sorted({lock_of(envelope.subject) for _, envelope in pairs})
    rows = json.dumps([_row(event, envelope) for event, envelope in pairs], ensure_ascii=False)
    with connections[alias].cursor() as cursor:
        cursor.execute(_PUBLISH, {"locks": locks, "rows": rows, "now": pairs[0][1].time})


def lock_of(key: str) -> int:
    """The advisory lock of a key: 64 bits, signed, the same in every process."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


def _row(event: Event, envelope: Envelope) -> dict[str, Any]:
    headers = get_message_headers(Published(id=envelope.id, destination=envelope.type, headers=_headers(envelope)))
    return {
        "id": str(envelope.id),
        "destination": envelope.type,
        "body": event.model_dump(mode="json"),
        "headers": headers,
    }


def _headers(envelope: Envelope) -> dict[str, str]:
    """CloudEvents 1.0 context attributes; extension attributes are lower case without separators."""
    optional = {
        "traceparent": envelope.traceparent,
        "causationid": str(envelope.causation_id) if envelope.causation_id else None,
        "dop-correlation-id": envelope.correlation_id,
    }
    return {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": envelope.time.isoformat(),
        "datacontenttype": "application/json",
    } | {name: value for name, value in optional.items() if value}
