"""Answer a repeated request with its first answer (design after draft-ietf-httpapi-idempotency-key-header).

The record commits with the work it tells of. A crash in between leaves neither, and the retry
starts afresh; only answers of success are kept, since refusals wrote nothing.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any, Final
from uuid import UUID

from django.db import connections, router

from django_seams.modules import atomic
from modules.orders.errors import KeyInFlightError, KeyMalformedError, KeyMissingError, KeyReusedError
from modules.orders.models import IdempotencyRecord

KEPT_FOR: Final = timedelta(hours=24)
PRUNE_BATCH: Final = 1000

_VISIBLE_ASCII: Final = re.compile(r"[\x21-\x7e]{1,255}")

# One request per key at a time. The lock ends with the transaction, after its commit is visible:
# who gets it reads, in a new statement, the record that the previous holder committed.
_CLAIM_KEY: Final = "SELECT pg_try_advisory_xact_lock(%s)"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request is answered with. ``body`` is plain JSON data."""

    status: int
    body: dict[str, Any]
    location: str
    is_replay: bool = False


def checked_key(key: str | None) -> str:
    """The header's value. Raises KeyMissingError, KeyMalformedError."""
    if not key:
        raise KeyMissingError
    if not _VISIBLE_ASCII.fullmatch(key):
        raise KeyMalformedError
    return key


def answer_once(
    *, customer_id: UUID, operation: str, key: str, request: Any, now: datetime, act: Callable[[], Answer]
) -> Answer:
    """Do ``act`` in a transaction on orders, or give the answer it gave to this key before.

    ``request`` is the JSON data of the request's body. Raises KeyInFlightError while another
    request with the key is open, KeyReusedError when the key came with another body before, and
    whatever ``act`` raises; then nothing is kept.
    """
    digest = _digest(request)
    with atomic("orders"):
        _claim(customer_id, operation, key)
        known = IdempotencyRecord.objects.filter(customer_id=customer_id, operation=operation, key=key).first()
        if known:
            return _replay(known, digest)
        answer = act()
        IdempotencyRecord.objects.create(
            customer_id=customer_id,
            operation=operation,
            key=key,
            request_sha256=digest,
            status=answer.status,
            body=json.dumps(answer.body),
            location=answer.location,
            created_at=now,
        )
        return answer


def prune_idempotency_records(now: datetime) -> int:
    """Remove up to ``PRUNE_BATCH`` records older than 24 hours; answers how many."""
    old = IdempotencyRecord.objects.filter(created_at__lt=now - KEPT_FOR).order_by("created_at")
    removed, _ = IdempotencyRecord.objects.filter(pk__in=old.values("pk")[:PRUNE_BATCH]).delete()
    return removed


def _claim(customer_id: UUID, operation: str, key: str) -> None:
    claim = f"idempotency:{customer_id}:{operation}:{key}"
    lock = int.from_bytes(blake2b(claim.encode(), digest_size=8).digest(), "big", signed=True)
    with connections[router.db_for_write(IdempotencyRecord)].cursor() as cursor:
        cursor.execute(_CLAIM_KEY, [lock])
        if cursor.fetchone() != (True,):
            raise KeyInFlightError


def _replay(known: IdempotencyRecord, digest: str) -> Answer:
    if known.request_sha256 != digest:
        raise KeyReusedError
    return Answer(status=known.status, body=json.loads(known.body), location=known.location, is_replay=True)


def _digest(request: Any) -> str:
    """SHA-256 of the canonical JSON: sorted keys, no spaces, ASCII only."""
    return sha256(json.dumps(request, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
