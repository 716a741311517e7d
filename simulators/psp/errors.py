"""What the provider refuses, as exceptions. `routes.py` says which status each becomes."""

from __future__ import annotations

from simulators.psp.records import Entry


class PspError(Exception):
    """The payment provider cannot do this; the message says what to do next."""


class LedgerError(PspError):
    """The ledger cannot be read or written; the process must not go on."""


class KeyReusedError(PspError):
    """This idempotency key belongs to another request; send the first body again or take a new key."""


class KeyInFlightError(PspError):
    """A request with this idempotency key is being worked on; ask again in a moment."""


class KeyBoundError(PspError):
    """This idempotency key has its final record, so it cannot be voided; `entry` is that record."""

    def __init__(self, *, entry: Entry) -> None:
        super().__init__(KeyBoundError.__doc__)
        self.entry = entry


class CaptureNotFoundError(PspError):
    """There is no capture with this id; look captures up by their merchant_reference."""


class RefundRefusedError(PspError):
    """This refund breaks a rule of the provider; `field` of the request is the one to correct."""

    def __init__(self, *, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class ProviderFaultError(PspError):
    """The provider failed before it did anything; send the request again with the same key."""
