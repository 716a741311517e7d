"""SIGKILL at any moment: what was accepted still ends, and nothing happens twice."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.processes.system import RELAYED, until

KILLS = 25
STREAM = "streaming from slot"


class TestSigkillAtRandomMoments:
    def test_loses_nothing_and_doubles_nothing(self, system, customer, provider, audit):
        with ThreadPoolExecutor(2) as threads:
            stop: list[bool] = []
            flows = [threads.submit(_place_until, customer, stop) for _ in range(2)]
            for _ in range(KILLS):
                time.sleep(random.uniform(0.05, 0.7))
                victim = random.choice(RELAYED)
                system.kill(victim)
                system.start(victim)
            stop.append(True)
            orders = dict(order for flow in flows for order in flow.result())
        ends = customer.ends(*orders)
        assert ends.total() == len(orders) >= KILLS
        # a killed worker's leases last for some seconds, which no order's deadline comes near
        assert set(ends) <= {"confirmed", "payment_failed"}
        audit()
        for order, token in orders.items():
            assert max(Counter(customer.timeline(order)).values()) == 1, customer.timeline(order)
            assert len(provider.booked("capture", order)) == (token != "tok_declined")


def _place_until(customer, stop):
    placed = []
    while not stop:
        token = random.choice(["tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_lost_response"])
        placed.append((customer.place(token=token), token))
        time.sleep(random.uniform(0.0, 0.4))
    return placed


class TestASecondRelay:
    def test_stands_by_and_takes_over(self, system, customer):
        with system.new_lines("second") as second:
            system.start("second", like="relay")
            try:
                until(lambda: second().count("standing by") == 3, what="stands by for all sources")
                assert STREAM not in second()
                assert customer.ends(customer.place()) == {"confirmed": 1}
                system.kill("relay")
                until(lambda: second().count(STREAM) == 3, what="takes over all sources")
                assert customer.ends(customer.place()) == {"confirmed": 1}
                with system.new_lines("relay") as first:
                    system.start("relay")
                    until(lambda: first().count("standing by") == 3, what="the first one stands by now")
            finally:
                system.kill("second")
        assert customer.ends(customer.place()) == {"confirmed": 1}


class TestSigterm:
    def test_ends_relay_and_workers_soon_and_cleanly(self, system, customer):
        customer.place(token="tok_slow")
        for name in RELAYED:
            code, seconds = system.terminate(name)
            assert code == 0, name
            assert seconds < 10, name  # it takes about one; a payment under way may take some more
        system.start(*RELAYED)
        assert customer.ends(customer.place()) == {"confirmed": 1}
