"""The decoder against what PostgreSQL really sends."""

import json
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django_outbox_pattern.models import Published

from django_seams.modules import atomic
from django_seams.relay import connect_as_relay
from django_seams.relay._connections import relay_conninfo
from django_seams.relay.pgoutput import Decoder, UnexpectedMessageError
from django_seams.relay.stream import (
    SlotActiveError,
    SlotMissingError,
    Stream,
    lsn_number,
    lsn_text,
)

SLOT = "seams_test_decoder"


def opened() -> Stream:
    return Stream(relay_conninfo("orders") + " replication=database", slot=SLOT)


@pytest.fixture
def slot(transactional_db):
    with closing(connect_as_relay("orders")) as relay:
        relay.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [SLOT])
        yield
        _await_idle(relay)
        relay.execute("SELECT pg_drop_replication_slot(%s)", [SLOT])


def _await_idle(relay) -> None:
    """The server notices a moment later that a reader is gone."""
    for _ in range(100):
        [active] = relay.execute("SELECT active FROM pg_replication_slots WHERE slot_name = %s", [SLOT]).fetchone()
        if not active:
            return
        time.sleep(0.05)
    raise AssertionError(f"{SLOT} is still active")


@pytest.fixture
def stream(slot):
    with closing(opened()) as stream:
        yield stream


def insert(*bodies: object, version: str | None = None) -> None:
    with atomic("orders"):
        Published.objects.using("orders").bulk_create(
            Published(id=uuid4(), destination="orders.order_placed.v1", version=version, body=body) for body in bodies
        )


def read(stream: Stream, *, commits: int) -> list:
    got = []
    for _ in range(100):
        got += stream.read(timeout=0.2)
        if len(got) >= commits:
            return got
    raise AssertionError(f"only {len(got)} of {commits} commits arrived")


def bodies(commit) -> list:
    return [json.loads(row["body"]) for row in commit.rows]


@pytest.mark.seams_db(transaction=True)
class TestStream:
    def test_gives_the_rows_of_a_commit_with_its_place_and_time(self, stream):
        insert({"n": 1}, {"n": 2})
        [commit] = read(stream, commits=1)
        assert bodies(commit) == [{"n": 1}, {"n": 2}]
        assert commit.end_lsn > 0
        assert abs(commit.at - datetime.now(UTC)) < timedelta(minutes=1)
        assert commit.rows[0]["seq"] is not None

    def test_tells_null_from_text(self, stream):
        insert({"n": 1}, version=None)
        insert({"n": 2}, version="")
        first, second = read(stream, commits=2)
        assert first.rows[0]["version"] is None
        assert second.rows[0]["version"] == ""

    def test_keeps_unicode(self, stream):
        text = "Grüße, 世界 🌍 \\ \" ' \t\n \u2028 a\u0301"
        insert({"text": text})
        [commit] = read(stream, commits=1)
        assert bodies(commit) == [{"text": text}]

    def test_keeps_a_body_of_a_megabyte(self, stream):
        text = "".join(chr(0x4E00 + n % 5000) for n in range(350_000))
        assert len(text.encode()) > 1_000_000
        insert({"text": text})
        [commit] = read(stream, commits=1)
        assert bodies(commit) == [{"text": text}]

    def test_gives_a_thousand_events_of_one_transaction_as_one_commit(self, stream):
        insert(*({"n": n} for n in range(1000)))
        [commit] = read(stream, commits=1)
        assert bodies(commit) == [{"n": n} for n in range(1000)]

    def test_gives_nothing_of_what_was_rolled_back_or_is_not_the_outbox(self, stream):
        with suppress(ZeroDivisionError), atomic("orders"):
            insert({"n": 0})
            _ = 1 / 0
        with connections["orders"].cursor() as cursor:
            cursor.execute("INSERT INTO seams_process (name, seen_at) VALUES ('x', now()) ON CONFLICT DO NOTHING")
        insert({"n": 1})
        [commit] = [commit for commit in read(stream, commits=1) if commit.rows]
        assert bodies(commit) == [{"n": 1}]

    def test_sends_again_what_was_not_confirmed_and_only_that(self, slot):
        insert({"n": 1})
        insert({"n": 2})
        with closing(opened()) as stream:
            first, second = read(stream, commits=2)
            stream.confirm(first.end_lsn)
        with closing(connect_as_relay("orders")) as relay:
            _await_idle(relay)
        with closing(opened()) as stream:
            [again] = read(stream, commits=1)
        assert bodies(again) == [{"n": 2}]
        assert again.end_lsn == second.end_lsn

    def test_of_a_slot_in_use_is_refused_as_such(self, stream):
        with pytest.raises(SlotActiveError):
            opened()

    def test_of_a_slot_that_does_not_exist_says_what_to_run(self, transactional_db):
        with pytest.raises(SlotMissingError, match="seams provision"):
            opened()


class TestDecoder:
    def test_refuses_what_an_insert_only_publication_cannot_send(self):
        with pytest.raises(UnexpectedMessageError, match="'U'"):
            Decoder().feed(b"U")

    def test_passes_over_what_is_not_a_row(self):
        for message in (b"Y", b"O", b"T", b"M"):
            assert Decoder().feed(message) is None


class TestLsn:
    @pytest.mark.parametrize("text", ["0/0", "16/B374D848", "FFFFFFFF/1"])
    def test_reads_and_writes_as_postgresql_does(self, text):
        assert lsn_text(lsn_number(text)) == text
