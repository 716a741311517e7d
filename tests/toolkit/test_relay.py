"""From outbox to inbox with the real relay: appended once, in order, or stopped loudly."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django_outbox_pattern.models import Published

from django_seams import relay as relaying
from django_seams.models import Delivery
from django_seams.modules import atomic
from django_seams.outbox import publish
from django_seams.provision import provision
from django_seams.relay import PositionMismatchError, connect_as_relay, slot_of
from django_seams.relay._connections import relay_conninfo
from django_seams.relay._source import NotDeclaredError, Source, TargetBackError
from django_seams.relay.stream import SlotActiveError, lsn_number
from modules.orders.events import OrderConfirmed

pytestmark = pytest.mark.seams_db(transaction=True)


@pytest.fixture(autouse=True)
def slots(transactional_db) -> Iterator[None]:
    """Slots for these tests only, and positions that start where the slots do."""
    provision()
    forget_positions()
    yield
    forget_positions()
    with closing(connect_as_relay("orders")) as relay:
        for alias in ("orders", "inventory", "payments"):
            eventually(lambda alias=alias: not active(relay, slot_of(alias)))
            relay.execute("SELECT pg_drop_replication_slot(%s)", [slot_of(alias)])


def forget_positions() -> None:
    for alias in ("orders", "inventory", "payments"):
        execute(alias, "UPDATE seams_position SET lsn = NULL, commit_at = NULL, appended_at = NULL, epoch = 1")


def active(relay, slot: str) -> bool:
    return relay.execute("SELECT active FROM pg_replication_slots WHERE slot_name = %s", [slot]).fetchone()[0]


def execute(alias: str, statement: str, *parameters: object) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)


def value(alias: str, query: str, *parameters: object):
    with connections[alias].cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchone()[0]


def eventually(is_so, *, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def place(count: int = 1) -> list[str]:
    """Publish something that inventory subscribes to; answers the event ids."""
    ids = []
    for _ in range(count):
        with atomic("orders"):
            ids += [str(envelope.id) for envelope in publish(OrderConfirmed(order_id=uuid4()))]
    return ids


def arrived(alias: str = "inventory") -> list[str]:
    rows = Delivery.objects.using(alias).filter(type="orders.order_confirmed.v1").order_by("id")
    return [str(row.event_id) for row in rows]


@contextmanager
def relay_of(alias: str = "orders", conninfo=relay_conninfo) -> Iterator[dict[str, Exception]]:
    """A relay of one source in a thread; answers what ended it."""
    stop, ended = threading.Event(), {}

    def run() -> None:
        try:
            Source(alias, slot=slot_of(alias), targets=["inventory", "orders", "payments"], conninfo=conninfo).run(stop)
        except Exception as error:
            ended["by"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join(timeout=15)
        assert not thread.is_alive()


class TestAppending:
    def test_brings_every_event_once_and_in_order(self):
        before = place(3)
        with relay_of():
            eventually(lambda: len(arrived()) == 3)
            during = place(20)
            eventually(lambda: len(arrived()) == 23)
        after = place(2)
        with relay_of():
            eventually(lambda: len(arrived()) == 25)
        assert arrived() == before + during + after

    def test_writes_only_the_fields_that_the_handler_asks_for(self):
        with atomic("orders"):
            Published.objects.using("orders").create(
                destination="orders.order_confirmed.v1",
                body={"order_id": str(uuid4()), "secret": "tok_1"},
                headers={"subject": "x", "source": "/modules/orders", "time": "2026-01-01T00:00:00+00:00"},
            )
        with relay_of():
            eventually(lambda: Delivery.objects.using("inventory").exists())
        assert "secret" not in Delivery.objects.using("inventory").get().body

    def test_moves_the_position_of_an_idle_source_and_lets_the_log_go(self):
        with relay_of(), closing(connect_as_relay("orders")) as relay:
            start = value("payments", "SELECT lsn::text FROM seams_position WHERE source = 'orders'")
            execute("payments", "CREATE TABLE noise AS SELECT generate_series(1, 10000) AS n")
            execute("payments", "DROP TABLE noise")
            query = "SELECT coalesce(lsn::text, '0/0') FROM seams_position WHERE source = 'orders'"
            first = lsn_number(start or "0/0")
            eventually(lambda: lsn_number(value("payments", query)) > first + 100_000)
            confirmed = "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s"
            eventually(
                lambda: lsn_number(relay.execute(confirmed, [slot_of("orders")]).fetchone()[0]) > first + 100_000
            )

    def test_again_from_an_unconfirmed_place_skips_what_is_stored(self):
        ids = place(3)
        with relay_of():
            eventually(lambda: len(arrived()) == 3)
        Delivery.objects.using("inventory").all().delete()  # handled meanwhile
        more = place(1)
        with relay_of():
            eventually(lambda: bool(arrived()))
        assert arrived() == more
        assert not set(more) & set(ids)


class TestMismatch:
    def test_of_a_position_that_another_relay_has_moved_stops_and_appends_nothing(self):
        with relay_of() as ended:
            place(1)
            eventually(lambda: len(arrived()) == 1)
            execute("inventory", "UPDATE seams_position SET lsn = lsn + 8 WHERE source = 'orders'")
            place(1)
            eventually(lambda: "by" in ended)
        assert isinstance(ended["by"], PositionMismatchError)
        assert "delete the folder .local" in str(ended["by"])
        assert len(arrived()) == 1

    def test_of_a_slot_past_the_position_is_a_loss(self):
        with relay_of():
            place(1)
            eventually(lambda: len(arrived()) == 1)
        execute("payments", "UPDATE seams_position SET lsn = '0/1' WHERE source = 'orders'")
        with relay_of() as ended:
            eventually(lambda: "by" in ended)
        assert isinstance(ended["by"], PositionMismatchError)
        assert "events in between would be lost" in str(ended["by"])

    def test_of_a_position_past_the_log_is_a_history_set_back(self):
        execute("payments", "UPDATE seams_position SET lsn = 'FF/0' WHERE source = 'orders'")
        with relay_of() as ended:
            eventually(lambda: "by" in ended)
        assert "history was set back" in str(ended["by"])

    def test_of_a_target_without_a_position_says_what_to_run(self):
        execute("payments", "DELETE FROM seams_position WHERE source = 'orders'")
        with relay_of() as ended:
            eventually(lambda: "by" in ended)
        assert "seams provision" in str(ended["by"])
        provision()


class TestUndeclaredEvent:
    def test_stops_the_source_and_is_relayed_once_it_is_declared(self):
        with atomic("orders"):
            Published.objects.using("orders").create(
                destination="orders.order_eaten.v1", body={}, headers={"subject": "x"}
            )
        later = place(1)
        with relay_of() as ended:
            eventually(lambda: "by" in ended)
        assert isinstance(ended["by"], NotDeclaredError)
        assert "orders.order_eaten.v1" in str(ended["by"])
        assert arrived() == []
        execute("orders", "INSERT INTO seams_event_type (type) VALUES ('orders.order_eaten.v1')")
        with relay_of():
            eventually(lambda: arrived() == later)
        provision()

    def test_that_provision_declares_meanwhile_does_not_stop_it(self):
        with relay_of() as ended:
            place(1)
            eventually(lambda: len(arrived()) == 1)
            execute("orders", "INSERT INTO seams_event_type (type) VALUES ('orders.order_eaten.v1')")
            with atomic("orders"):
                Published.objects.using("orders").create(
                    destination="orders.order_eaten.v1", body={}, headers={"subject": "x"}
                )
            last = place(1)
            eventually(lambda: arrived()[-1:] == last)
        assert ended == {}
        provision()


class TestTargetThatIsAway:
    def test_is_set_aside_while_the_others_go_on_and_gets_everything_when_back(self):
        away = threading.Event()
        away.set()

        def conninfo(alias: str) -> str:
            port = " port=1" if alias == "payments" and away.is_set() else ""
            return relay_conninfo(alias) + port

        with relay_of(conninfo=conninfo) as ended:
            ids = place(2)
            eventually(lambda: arrived() == ids)
            assert value("payments", "SELECT lsn FROM seams_position WHERE source = 'orders'") is None
            away.clear()
            eventually(lambda: "by" in ended)
        assert isinstance(ended["by"], TargetBackError)
        with relay_of(conninfo=conninfo):
            eventually(
                lambda: value("payments", "SELECT commit_at FROM seams_position WHERE source = 'orders'") is not None
            )
        assert arrived() == ids


class TestTwoRelays:
    def test_the_second_finds_the_slot_active(self):
        with relay_of():
            place(1)
            eventually(lambda: len(arrived()) == 1)
            with pytest.raises(SlotActiveError):
                Source("orders", slot=slot_of("orders"), targets=["inventory"], conninfo=relay_conninfo).run(
                    threading.Event()
                )

    def test_run_relay_carries_all_sources_until_it_is_stopped(self):
        stop = threading.Event()
        thread = threading.Thread(target=relaying.run_relay, args=(stop,), daemon=True)
        thread.start()
        ids = place(5)
        eventually(lambda: arrived() == ids)
        stop.set()
        thread.join(timeout=20)
        assert not thread.is_alive()


class TestRelaysRole:
    @pytest.mark.parametrize("table", ["orders_order", "received", "django_migrations"])
    def test_cannot_read_what_it_does_not_need(self, table):
        with closing(connect_as_relay("orders")) as relay, pytest.raises(psycopg.errors.InsufficientPrivilege):
            relay.execute(f"SELECT * FROM {table}")

    def test_cannot_change_the_outbox(self):
        with closing(connect_as_relay("orders")) as relay, pytest.raises(psycopg.errors.InsufficientPrivilege):
            relay.execute("DELETE FROM published")

    def test_cannot_enter_the_default_database(self):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(relay_conninfo("default"))
        assert settings.SEAMS["RELAY_USER"] in relay_conninfo("default")
