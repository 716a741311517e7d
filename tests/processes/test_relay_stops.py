"""The relay stops rather than guess, and says what to do."""

import json
import uuid

import pytest

from tests.processes.system import until

UNKNOWN = "orders.order_archived.v1"

_MOVE = "UPDATE seams_position SET lsn = lsn + {} WHERE source = 'orders'"
_INSERT = """
INSERT INTO published (id, destination, body, headers, added, expires_at, retry, status)
VALUES (%s, %s, '{}', %s, now(), now(), 0, 1)
"""
_DECLARE = "INSERT INTO seams_event_type (type) VALUES (%s)"


@pytest.fixture
def relay_log(system):
    with system.new_lines("relay") as lines:
        yield lines


class TestAPositionThatMoved:
    def test_stops_the_source_says_what_to_do_and_ends_with_an_error(self, system, customer, relay_log):
        system.sql("payments", _MOVE.format(1_000_000))
        until(lambda: "relay of orders stopped" in relay_log())
        [line] = [line for line in relay_log().splitlines() if "relay of orders stopped" in line]
        assert "The position of 'orders' in 'payments' is no longer" in line
        assert "Nothing was appended" in line
        assert "delete the folder .local" in line
        order = customer.place()
        assert system.terminate("relay")[0] == 1
        assert customer.order(order)["status"] == "pending"

        system.sql("payments", _MOVE.format(-1_000_000))
        system.start("relay")
        assert customer.ends(order) == {"confirmed": 1}

    def test_is_seen_at_the_start_too(self, system, customer, relay_log):
        system.kill("relay")
        system.sql("payments", _MOVE.format(-1_000_000))
        order = customer.place()
        system.start("relay")
        until(lambda: "relay of orders stopped" in relay_log())
        assert "events in between would be lost" in relay_log()
        assert system.terminate("relay")[0] == 1

        system.sql("payments", _MOVE.format(1_000_000))
        system.start("relay")
        assert customer.ends(order) == {"confirmed": 1}


class TestAnEventThatIsNotDeclared:
    def test_stops_its_source_and_nothing_after_it_is_lost(self, system, customer, relay_log):
        headers = json.dumps({"subject": "1"})
        system.sql("orders", _INSERT, uuid.uuid4(), UNKNOWN, headers)
        until(lambda: "relay of orders stopped" in relay_log())
        [line] = [line for line in relay_log().splitlines() if "relay of orders stopped" in line]
        assert f"{UNKNOWN} is in the outbox but not in the routes" in line
        assert "seams provision" in line
        order = customer.place()
        assert system.terminate("relay")[0] == 1
        assert customer.order(order)["status"] == "pending"

        system.sql("orders", _DECLARE, UNKNOWN)  # what provision does once the code knows it
        system.start("relay")
        assert customer.ends(order) == {"confirmed": 1}
