"""What orders depend on goes away and comes back; what they do not depend on may stay away."""

import time

import pytest

from tests.processes.system import NEEDED


class TestPostgresCrashing:
    def test_is_survived_by_every_process_and_every_order(self, system, customer, audit):
        before = [customer.place() for _ in range(5)]
        system.servers.kill("postgres")
        during = [customer.place() for _ in range(5)]
        system.servers.start()
        after = [customer.place() for _ in range(5)]
        assert customer.ends(*before, *during, *after) == {"confirmed": 15}
        system.refuse_ended()
        audit()

    def test_answers_503_meanwhile_and_takes_the_order_once_when_asked_again(self, system, customer):
        stock = customer.stock("beans")
        system.servers.pause("postgres")
        try:
            assert customer.status_of_place(sku="beans", key="while-it-is-away") == 503
        finally:
            system.servers.resume("postgres")
        first = customer.place(sku="beans", key="while-it-is-away")
        assert customer.place(sku="beans", key="while-it-is-away") == first
        assert customer.ends(first) == {"confirmed": 1}
        assert customer.stock("beans")["on_hand"] == stock["on_hand"] - 1


class TestPostgresAwayAtTheStart:
    @pytest.mark.parametrize("command", ["seams provision", "seams relay", "seams worker orders", "runserver 0"])
    def test_is_one_clear_line_and_an_exit_code(self, without_postgres, command):
        done = without_postgres.manage(*command.split())
        assert done.returncode == 1
        [line] = done.stderr.strip().splitlines()
        assert "Is the server running" in line


class TestRedisStopped:
    def test_keeps_no_order_from_being_confirmed_or_from_expiring(self, system, customer, provider, short_deadline):
        system.servers.pause("redis")
        try:
            assert customer.ends(customer.place()) == {"confirmed": 1}
            provider.control(outage=True)
            assert customer.ends(customer.place()) == {"deadline": 1}
        finally:
            provider.control(outage=False)
            system.servers.resume("redis")

    def test_could_not_even_be_noticed_by_what_orders_need(self, system):
        assert not [name for name in NEEDED if "REDIS_URL" in system.environ_of(name)]


class TestAnOutageOfTheProvider:
    def test_delays_orders_that_have_time(self, customer, provider, audit):
        provider.control(outage=True)
        try:
            orders = [customer.place() for _ in range(10)]
            time.sleep(3)
            assert {customer.order(order)["status"] for order in orders} == {"pending"}
        finally:
            provider.control(outage=False)
        assert customer.ends(*orders) == {"confirmed": 10}
        audit()

    def test_ends_those_that_have_none_and_charges_them_nothing(self, customer, provider, audit, short_deadline):
        provider.control(outage=True)
        try:
            orders = [customer.place() for _ in range(5)]
            assert customer.ends(*orders) == {"deadline": 5}
        finally:
            provider.control(outage=False)
        audit()
        assert not [order for order in orders if provider.booked("capture", order)]


@pytest.fixture
def short_deadline(system):
    """Orders that are placed have three seconds."""
    system.terminate("web")
    system.start("web", ORDER_DEADLINE="3")
    system.wait_until_ready()
    yield
    system.terminate("web")
    system.start("web")
    system.wait_until_ready()


@pytest.fixture(scope="class")
def without_postgres(system):
    system.servers.pause("postgres")
    yield system
    system.servers.resume("postgres")
