"""The relay: reads committed outbox rows from the write-ahead log and hands them to sinks."""

from django_seams.relay._connections import connect_as_relay, slot_of
from django_seams.relay._run import RelayError, run_relay
from django_seams.relay._source import NotDeclaredError
from django_seams.relay._target import PositionMismatchError

__all__ = [
    "NotDeclaredError",
    "PositionMismatchError",
    "RelayError",
    "connect_as_relay",
    "run_relay",
    "slot_of",
]
