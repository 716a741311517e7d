"""Read a replication slot with psycopg's libpq wrapper, which has no replication class of its own.

Source: PostgreSQL documentation, "Streaming Replication Protocol".
"""

import select
import struct
import time
from datetime import UTC, datetime
from typing import Final

from psycopg import OperationalError, pq

from django_seams.errors import SeamsError
from django_seams.relay.pgoutput import Commit, Decoder

PUBLICATION: Final = "seams_outbox"
_POSTGRES_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_MAX_COMMITS: Final = 100
_MAX_BYTES: Final = 4_000_000
# A relay that hangs must lose its slot to the standby within seconds, not after the default minute.
_WAL_SENDER_TIMEOUT: Final = "4s"


class SlotActiveError(SeamsError):
    """Another relay streams from this slot; this one stands by."""


class SlotMissingError(SeamsError):
    """The replication slot does not exist; run `manage.py seams provision`."""


def lsn_text(lsn: int) -> str:
    """An LSN as PostgreSQL writes it: ``16/B374D848``."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int:
    """The opposite of :func:`lsn_text`."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


class Stream:
    """An open replication stream of one slot, from the slot's confirmed position on.

    Raises SlotActiveError and SlotMissingError when it cannot start, psycopg's OperationalError
    when the connection is lost.
    """

    def __init__(self, conninfo: str, *, slot: str) -> None:
        self._connection = pq.PGconn.connect(conninfo.encode())
        if self._connection.status != pq.ConnStatus.OK:
            raise OperationalError(self._connection.get_error_message())
        self._decoder = Decoder()
        self.wal_end = 0
        self._start(slot)

    def _start(self, slot: str) -> None:
        self._connection.exec_(f"SET wal_sender_timeout = '{_WAL_SENDER_TIMEOUT}'".encode())
        options = f"proto_version '1', publication_names '\"{PUBLICATION}\"'"
        result = self._connection.exec_(f'START_REPLICATION SLOT "{slot}" LOGICAL 0/0 ({options})'.encode())
        if result.status != pq.ExecStatus.COPY_BOTH:
            raise _refusal(result.error_field(pq.DiagnosticField.SQLSTATE), result.get_error_message())
        self._connection.nonblocking = 1

    def read(self, *, timeout: float) -> list[Commit]:
        """The commits that have arrived, waiting up to ``timeout`` seconds for the first.

        An empty answer leaves ``wal_end`` at a place up to which there was nothing for us.
        """
        commits: list[Commit] = []
        size, deadline = 0, time.monotonic() + timeout
        while len(commits) < _MAX_COMMITS and size < _MAX_BYTES:
            length, data = self._connection.get_copy_data(1)
            if length > 0:
                size += length
                commit = self._take(bytes(data))
                commits += [commit] if commit else []
            elif length < 0:
                raise OperationalError(f"the replication stream ended: {self._connection.get_error_message()}")
            elif (commits and not self._decoder.in_transaction) or not self._wait(deadline - time.monotonic()):
                break
        return commits

    def _take(self, data: bytes) -> Commit | None:
        if data[:1] == b"w":
            return self._decoder.feed(data[25:])
        wal_end, _clock, reply_now = struct.unpack_from("!QqB", data, 1)
        if not self._decoder.in_transaction:
            self.wal_end = max(self.wal_end, wal_end)
        if reply_now:
            self.confirm(self._confirmed)
        return None

    _confirmed = 0

    def confirm(self, lsn: int) -> None:
        """Tell the server that everything up to ``lsn`` is stored; it may forget it. Also a sign of life."""
        self._confirmed = max(self._confirmed, lsn)
        clock = int((time.time() - _POSTGRES_EPOCH) * 1_000_000)
        status = struct.pack("!cQQQqB", b"r", self._confirmed, self._confirmed, self._confirmed, clock, 0)
        self._connection.put_copy_data(status)
        self._connection.flush()

    def _wait(self, seconds: float) -> bool:
        if seconds <= 0:
            return False
        ready, _, _ = select.select([self._connection.socket], [], [], seconds)
        if ready:
            self._connection.consume_input()
        return bool(ready)

    def close(self) -> None:
        self._connection.finish()


def _refusal(sqlstate: bytes | None, message: str) -> Exception:
    if sqlstate == b"55006":
        return SlotActiveError(message)
    if sqlstate == b"42704":
        return SlotMissingError(f"{message.strip()}; run `manage.py seams provision`.")
    return OperationalError(message)
