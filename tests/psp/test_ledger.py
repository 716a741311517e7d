from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from simulators.psp.errors import LedgerError
from simulators.psp.ledger import open_ledger
from simulators.psp.records import Entry

WAIT_SECONDS = 20.0


def draft(key: str) -> Entry:
    return Entry(0, "capture", f"cap_{key}", f"cap_{key}", key, "order-é-1", 500, "EUR", "now", None, "f")


def write(path: Path, *keys: str) -> None:
    ledger = open_ledger(path=path)
    for key in keys:
        ledger.append(draft=draft(key))
    ledger.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class TestAppend:
    def test_numbers_entries_from_one_without_gaps_and_reads_them_back(self, ledger_path: Path) -> None:
        write(ledger_path, "a", "b")
        write(ledger_path, "c")
        ledger = open_ledger(path=ledger_path)
        assert [(entry.seq, entry.idempotency_key) for entry in ledger.entries()] == [
            (1, "a"),
            (2, "b"),
            (3, "c"),
        ]
        assert ledger.entries()[0] == draft("a")._replace(seq=1)
        ledger.close()

    def test_returns_and_shows_nothing_before_it_is_on_disk(self, ledger_path: Path) -> None:
        syncing, synced = threading.Event(), threading.Event()

        def sync(fd: int) -> None:
            syncing.set()
            assert synced.wait(WAIT_SECONDS)

        ledger = open_ledger(path=ledger_path, sync=sync)
        with ThreadPoolExecutor() as pool:
            appended = pool.submit(ledger.append, draft=draft("a"))
            assert syncing.wait(WAIT_SECONDS)
            assert not appended.done()
            assert ledger.entries() == []
            synced.set()
            assert appended.result(WAIT_SECONDS).seq == 1
        assert len(ledger.entries()) == 1
        ledger.close()

    def test_shares_one_sync_between_entries_that_arrive_during_another(self, ledger_path: Path) -> None:
        first_sync, go = threading.Event(), threading.Event()
        sizes = []

        def sync(fd: int) -> None:
            sizes.append(os.fstat(fd).st_size)
            first_sync.set()
            assert go.wait(WAIT_SECONDS)

        ledger = open_ledger(path=ledger_path, sync=sync)
        with ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(ledger.append, draft=draft("0"))]
            assert first_sync.wait(WAIT_SECONDS)
            futures += [pool.submit(ledger.append, draft=draft(str(number))) for number in range(1, 8)]
            wait_until(lambda: len(ledger._queue) == 7)
            go.set()
            assert not wait(futures, WAIT_SECONDS).not_done
        assert [entry.seq for entry in ledger.entries()] == list(range(1, 9))
        assert sorted(future.result().seq for future in futures) == list(range(1, 9))
        assert len(sizes) == 2
        assert sizes[1] == ledger_path.stat().st_size
        ledger.close()

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError(5, "I/O error")])
    def test_takes_nothing_more_after_a_failed_sync(self, ledger_path: Path, error: OSError) -> None:
        failing = [error]

        def sync(fd: int) -> None:
            if failing:
                raise failing.pop()

        ledger = open_ledger(path=ledger_path, sync=sync)
        with pytest.raises(LedgerError, match="cannot be written"):
            ledger.append(draft=draft("a"))
        with pytest.raises(LedgerError, match="out of use"):
            ledger.append(draft=draft("b"))
        assert ledger.entries() == []
        ledger.close()


class TestEntries:
    def test_pages_by_sequence_number(self, ledger_path: Path) -> None:
        write(ledger_path, *"abcde")
        ledger = open_ledger(path=ledger_path)
        assert [entry.seq for entry in ledger.entries(after=2, limit=2)] == [3, 4]
        assert [entry.seq for entry in ledger.entries(after=3)] == [4, 5]
        assert ledger.entries(after=5) == []
        ledger.close()


class TestOpenLedger:
    @pytest.mark.parametrize("kept", [1, 20, -1])
    def test_cuts_a_torn_last_line_off_and_says_so(
        self, ledger_path: Path, kept: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(ledger_path, "a", "b")
        whole = ledger_path.read_bytes()
        ledger_path.write_bytes(whole + whole.splitlines(keepends=True)[0][:kept])
        with caplog.at_level(logging.WARNING, logger="psp"):
            write(ledger_path, "c")
        assert "torn" in caplog.text
        ledger = open_ledger(path=ledger_path)
        assert [entry.idempotency_key for entry in ledger.entries()] == ["a", "b", "c"]
        ledger.close()

    def test_refuses_damage_in_the_middle_and_leaves_the_file_alone(self, ledger_path: Path) -> None:
        write(ledger_path, "a", "b", "c")
        damaged = ledger_path.read_bytes().replace(b'"seq":2', b'"seq:2')
        ledger_path.write_bytes(damaged)
        with pytest.raises(LedgerError, match=r"Line 2 .* is damaged"):
            open_ledger(path=ledger_path)
        assert ledger_path.read_bytes() == damaged

    def test_refuses_a_file_with_a_line_missing(self, ledger_path: Path) -> None:
        write(ledger_path, "a", "b", "c")
        first, _, third = ledger_path.read_bytes().splitlines(keepends=True)
        ledger_path.write_bytes(first + third)
        with pytest.raises(LedgerError, match="lines are missing"):
            open_ledger(path=ledger_path)

    def test_refuses_a_file_that_somebody_else_has_until_it_is_closed(self, ledger_path: Path) -> None:
        ledger = open_ledger(path=ledger_path)
        with pytest.raises(LedgerError, match="Another process"):
            open_ledger(path=ledger_path)
        ledger.close()
        open_ledger(path=ledger_path).close()

    def test_refuses_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerError, match="cannot be opened"):
            open_ledger(path=tmp_path)
