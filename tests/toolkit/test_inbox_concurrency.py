"""Many workers and a relay on the same lanes, with real transactions."""

import threading
import time
import uuid
from collections import defaultdict

import pytest
from django.db import connections

from django_seams.inbox import work
from tests.toolkit.inboxes import ALIAS, arrive, delivery, handlers, lanes, waiting

KEYS = [f"key-{n}" for n in range(4)]
PER_KEY = 60


@pytest.mark.seams_db(transaction=True)
class TestFourWorkersAndARelay:
    def test_handle_each_delivery_once_and_in_order_and_leave_no_lane_behind(self):
        seen: dict[str, list[int]] = defaultdict(list)
        over = threading.Event()
        failures: list[Exception] = []

        def note(event, envelope):
            time.sleep(0.0005)
            connections[ALIAS].on_commit(lambda: seen[envelope.subject].append(event.n))

        def append_all() -> None:
            for n in range(PER_KEY):
                arrive(*[delivery(n, key=key) for key in KEYS])
            connections[ALIAS].close()

        def work_until_over() -> None:
            try:
                while not over.is_set():
                    if not work(module="payments")[0]:
                        time.sleep(0.002)
            except Exception as error:
                failures.append(error)
            finally:
                connections[ALIAS].close()

        with handlers(note=note):
            relay = threading.Thread(target=append_all)
            workers = [threading.Thread(target=work_until_over) for _ in range(4)]
            for thread in [relay, *workers]:
                thread.start()
            relay.join()
            deadline = time.monotonic() + 60
            while (waiting() or lanes()) and time.monotonic() < deadline:
                time.sleep(0.02)
            over.set()
            for thread in workers:
                thread.join()
        assert failures == []
        assert {key: seen[key] for key in KEYS} == {key: list(range(PER_KEY)) for key in KEYS}
        assert lanes() == []

    def test_an_arrival_during_the_last_statement_is_not_forgotten(self):
        """The relay holds the lane's row while the worker, done with all it saw, wants to delete it."""
        seen: list[int] = []
        handled, appended = threading.Event(), threading.Event()

        def note(event, envelope):
            seen.append(event.n)
            if event.n == 1:
                handled.set()
                assert appended.wait(10)

        def append_slowly() -> None:
            from django_seams.modules import atomic

            assert handled.wait(10)
            with atomic("payments"):
                arrive(delivery(2))
                appended.set()
                time.sleep(0.3)  # the worker now waits for the row that this transaction has locked
            connections[ALIAS].close()

        with handlers(note=note):
            arrive(delivery(1))
            relay = threading.Thread(target=append_slowly)
            relay.start()
            work(module="payments")
            relay.join()
            assert waiting() == 1
            assert lanes() == [("k", False)]
            work(module="payments")
        assert seen == [1, 2]
        assert lanes() == []

    def test_a_worker_that_died_is_followed_by_another_after_its_lease(self):
        seen: list[int] = []
        with handlers(note=lambda event, _: seen.append(event.n)):
            arrive(delivery(1))
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(
                    "UPDATE seams_lane SET token = %s, leased_until = clock_timestamp() + '0.3 s'::interval",
                    [uuid.uuid4()],
                )
            assert work(module="payments") == (0, [])
            time.sleep(0.35)
            assert work(module="payments") == (1, [])
        assert seen == [1]
