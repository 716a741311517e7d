"""Work on due lanes: claim, handle each delivery in a transaction of its own, close the lane."""

import json
import logging
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from django_seams.bus import Subscription, handlers_of, handling
from django_seams.errors import SeamsError, frames, shown
from django_seams.events import Envelope
from django_seams.inbox import sql
from django_seams.modules import module_named

logger = logging.getLogger(__name__)

LEASE: Final = 10.0
"""Seconds that a worker may hold a lane before another may claim it."""
MAX_ATTEMPTS: Final = 8
LANES_AT_ONCE: Final = 10
_DELIVERIES_AT_ONCE: Final = 20
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 60.0


class LeaseLostError(SeamsError):
    """A lane was claimed by another worker while this one worked on it; its work was rolled back."""


class TooOldError(SeamsError):
    """The event is older than the log of handled events; it might be executed twice. Discard it."""


@dataclass(frozen=True, kw_only=True)
class HandlerFailure:
    """A handler raised: what, how often so far, and whether the delivery is a dead letter now."""

    handler: str
    event_id: UUID
    attempts: int
    dead: bool
    error: Exception


@dataclass(kw_only=True)
class _Waiting:
    id: int
    event_id: UUID
    type: str
    handler: str
    body: dict[str, Any]
    headers: dict[str, Any]
    attempts: int


@dataclass(kw_only=True)
class ClaimedLane:
    """The right to handle what waits in one lane, until the lease ends."""

    module: str
    alias: str
    key: str
    token: UUID
    arrivals: int
    now: datetime | None
    waiting: list[_Waiting] = field(default_factory=list)

    def parameters(self, **more: Any) -> dict[str, Any]:
        return {
            "module": self.module,
            "key": self.key,
            "token": self.token,
            "arrivals": self.arrivals,
            "now": self.now,
            "lease": LEASE,
            "delay": 0.0,
        } | more


def work(*, module: str, now: datetime | None = None) -> tuple[int, list[HandlerFailure]]:
    """Claim due lanes of ``module`` and handle what waits in them.

    Answers how many deliveries were handled, and the failures. ``now`` stands in for the
    database's clock in tests. Lanes whose lease is lost are left to whoever took them.
    """
    handled, failures = 0, []
    for lane in claim(module=module, now=now):
        done, failure = serve(lane)
        handled += done
        failures += [failure] if failure else []
    return handled, failures


def claim(*, module: str, now: datetime | None = None) -> list[ClaimedLane]:
    """Lease up to ``LANES_AT_ONCE`` due lanes, each with what waits in it, oldest first."""
    alias = module_named(module).alias
    values = {
        "module": module,
        "handlers": sorted(handlers_of(module)),
        "now": now,
        "lease": LEASE,
        "lanes": LANES_AT_ONCE,
        "deliveries": _DELIVERIES_AT_ONCE,
    }
    lanes: dict[str, ClaimedLane] = {}
    with connections[alias].cursor() as cursor:
        cursor.execute(sql.CLAIM, values)
        for key, token, arrivals, *delivery in cursor.fetchall():
            if key not in lanes:
                lanes[key] = ClaimedLane(module=module, alias=alias, key=key, token=token, arrivals=arrivals, now=now)
            if delivery[0] is not None:
                lanes[key].waiting.append(_waiting(*delivery))
    return list(lanes.values())


def _waiting(id: int, event_id: UUID, type: str, handler: str, body: str, headers: str, attempts: int) -> _Waiting:
    return _Waiting(
        id=id,
        event_id=event_id,
        type=type,
        handler=handler,
        body=json.loads(body),
        headers=json.loads(headers),
        attempts=attempts,
    )


def serve(lane: ClaimedLane) -> tuple[int, HandlerFailure | None]:
    """Handle a claimed lane's deliveries in order and close it; stop at the first that fails.

    Answers how many were handled, and the failure. A lease that was lost is left to its new holder.
    """
    handlers = handlers_of(lane.module)
    if not lane.waiting:
        _release(lane)
    last_of_lane = len(lane.waiting) < _DELIVERIES_AT_ONCE
    for nth, delivery in enumerate(lane.waiting, start=1):
        subscription = handlers.get(delivery.handler)
        if subscription is None:
            _release(lane)
            return nth - 1, None
        try:
            _handle(lane, delivery, subscription, is_last=nth == len(lane.waiting), may_delete=last_of_lane)
        except LeaseLostError as error:
            logger.warning("%s/%s: %s", lane.module, lane.key, error)
            return nth - 1, None
        except Exception as error:
            return nth - 1, _record_failure(lane, delivery, error)
    return len(lane.waiting), None


def _handle(
    lane: ClaimedLane, delivery: _Waiting, subscription: Subscription, *, is_last: bool, may_delete: bool
) -> None:
    """The handler's effects, its ``received`` row and the lane's change, in one transaction."""
    envelope = _envelope(delivery)
    _refuse_too_old(envelope, lane.now)
    with transaction.atomic(using=lane.alias), connections[lane.alias].cursor() as cursor:
        cursor.execute(sql.RECEIVE, {"msg_id": f"{delivery.handler}:{delivery.event_id}"})
        if cursor.rowcount:
            event = subscription.view.model_validate(delivery.body)
            with handling(envelope):
                subscription.call(event, envelope)
        _finish(cursor, lane, delivery, is_last=is_last, may_delete=may_delete)


def _finish(cursor: Any, lane: ClaimedLane, delivery: _Waiting, *, is_last: bool, may_delete: bool) -> None:
    if not is_last:
        cursor.execute(sql.FINISH_AND_KEEP, lane.parameters(id=delivery.id))
        if not cursor.rowcount:
            raise LeaseLostError
        return
    if may_delete:
        cursor.execute(sql.FINISH_AND_DELETE, lane.parameters(id=delivery.id))
        if cursor.rowcount:
            return
    else:
        cursor.execute(sql.FINISH_AND_KEEP, lane.parameters(id=delivery.id))
    _look_again(cursor, lane, delay=0.0)


def _look_again(cursor: Any, lane: ClaimedLane, *, delay: float) -> None:
    cursor.execute(sql.HOLD_LANE, lane.parameters())
    if not cursor.fetchall():
        raise LeaseLostError
    cursor.execute(sql.DELETE_IF_EMPTY, lane.parameters())
    if not cursor.rowcount:
        cursor.execute(sql.RELEASE, lane.parameters(delay=delay))


def _release(lane: ClaimedLane) -> None:
    with transaction.atomic(using=lane.alias), connections[lane.alias].cursor() as cursor:
        _look_again(cursor, lane, delay=0.0)


def _record_failure(lane: ClaimedLane, delivery: _Waiting, error: Exception) -> HandlerFailure | None:
    """Count the attempt; back off, or make it a dead letter that parks the lane.

    A database that is away is nobody's failure: then this raises too, and nothing is counted.
    """
    attempts = delivery.attempts + 1
    dead = attempts >= MAX_ATTEMPTS or isinstance(error, TooOldError)
    text = shown(error)[:4000]
    try:
        with transaction.atomic(using=lane.alias), connections[lane.alias].cursor() as cursor:
            cursor.execute(sql.BURY if dead else sql.FAIL, {"id": delivery.id, "error": text})
            _look_again(cursor, lane, delay=0.0 if dead else _pause(attempts))
    except LeaseLostError as lost:
        logger.warning("%s/%s: %s", lane.module, lane.key, lost)
        return None
    logger.log(
        logging.ERROR if dead else logging.WARNING,
        "%s failed on %s (attempt %d of %d%s): %s\n%s",
        delivery.handler,
        delivery.event_id,
        attempts,
        MAX_ATTEMPTS,
        ", now a dead letter" if dead else "",
        text,
        frames(error) if dead else "",
    )
    return HandlerFailure(
        handler=delivery.handler, event_id=delivery.event_id, attempts=attempts, dead=dead, error=error
    )


def _pause(attempts: int) -> float:
    """Exponential backoff with jitter between half and the whole of the pause, in seconds."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempts)
    return pause * random.uniform(0.5, 1.0)


def _envelope(delivery: _Waiting) -> Envelope:
    headers = delivery.headers
    return Envelope(
        id=delivery.event_id,
        type=delivery.type,
        source=headers["source"],
        subject=headers["subject"],
        time=datetime.fromisoformat(headers["time"]),
        traceparent=headers.get("traceparent"),
        causation_id=UUID(headers["causationid"]) if "causationid" in headers else None,
        correlation_id=headers.get("dop-correlation-id"),
    )


def _refuse_too_old(envelope: Envelope, now: datetime | None) -> None:
    kept = timedelta(days=settings.SEAMS.get("RECEIVED_RETENTION_DAYS", 30))
    if envelope.time < (now or timezone.now()) - kept:
        raise TooOldError
