"""Lanes keep order, effects happen once, failures back off and end as dead letters that park."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django_outbox_pattern.models import Received

from django_seams import inbox
from django_seams.inbox import MAX_ATTEMPTS, work
from tests.toolkit.inboxes import ALIAS, arrive, dead, delivery, handlers, lanes, waiting

pytestmark = pytest.mark.seams_db


class Broken(Exception):
    """What a handler raises here."""


def fail(event, envelope):
    raise Broken(f"no {event.n}")


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def exhaust(module: str = "payments") -> None:
    """Let every due lane fail until it is given up."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        work(module=module, now=later(100 * attempt))


class TestLane:
    def test_hands_over_in_the_order_of_arrival(self):
        seen = []
        with handlers(note=lambda event, _: seen.append(event.n)):
            arrive(*[delivery(n) for n in range(30)])
            while work(module="payments")[0]:
                pass
        assert seen == list(range(30))

    def test_is_gone_when_nothing_waits_in_it(self):
        with handlers(note=lambda event, _: None):
            arrive(delivery(1), delivery(2, key="other"))
            work(module="payments")
        assert lanes() == []
        assert waiting() == 0

    def test_stops_at_the_head_that_fails(self):
        seen = []

        def note(event, _):
            if event.n == 1:
                raise Broken
            seen.append(event.n)

        with handlers(note=note):
            arrive(delivery(0), delivery(1), delivery(2), delivery(7, key="other"))
            work(module="payments")
        assert sorted(seen) == [0, 7]
        assert waiting() == 2

    def test_with_an_unknown_head_waits_for_another_worker(self):
        seen = []
        with handlers(note=lambda event, _: seen.append(event.n)):
            arrive(delivery(1, handler="payments.of_a_newer_version"), delivery(2))
            assert work(module="payments") == (0, [])
        assert seen == []
        assert waiting() == 2

    def test_with_an_unknown_delivery_in_the_middle_is_released_there(self):
        seen = []
        with handlers(note=lambda event, _: seen.append(event.n)):
            arrive(delivery(1), delivery(2, handler="payments.of_a_newer_version"), delivery(3))
            work(module="payments")
            assert work(module="payments") == (0, [])
        assert seen == [1]
        with handlers(note=lambda event, _: seen.append(event.n), of_a_newer_version=lambda *_: None):
            work(module="payments")
        assert seen == [1, 3]
        assert lanes() == []

    def test_that_is_leased_is_not_claimed_again_before_its_lease_ends(self):
        with handlers(note=lambda event, _: None):
            arrive(delivery(1))
            connections[ALIAS].cursor().execute(
                "UPDATE seams_lane SET token = gen_random_uuid(), leased_until = clock_timestamp() + '10 s'::interval"
            )
            assert work(module="payments") == (0, [])
            assert work(module="payments", now=later(11)) == (1, [])

    def test_keeps_what_arrives_while_it_is_worked_on(self):
        seen = []

        def note(event, _):
            seen.append(event.n)
            if event.n == 1:
                arrive(delivery(2))

        with handlers(note=note):
            arrive(delivery(1))
            work(module="payments")
            assert seen == [1]
            assert waiting() == 1
            work(module="payments")
        assert seen == [1, 2]
        assert lanes() == []

    def test_whose_lease_was_taken_over_rolls_its_work_back(self):
        def note(event, _):
            connections[ALIAS].cursor().execute("UPDATE seams_lane SET token = gen_random_uuid()")

        with handlers(note=note):
            arrive(delivery(1))
            assert work(module="payments") == (0, [])
        assert waiting() == 1
        assert not Received.objects.using(ALIAS).exists()


class TestEffects:
    def test_of_an_event_delivered_twice_happen_once(self):
        seen, event_id = [], uuid.uuid4()
        with handlers(note=lambda event, _: seen.append(event.n)):
            arrive(delivery(1, event_id=event_id))
            arrive(delivery(1, event_id=event_id))
            work(module="payments")
            arrive(delivery(1, event_id=event_id))
            work(module="payments")
        assert seen == [1]
        assert lanes() == []

    def test_of_two_handlers_of_one_event_happen_each(self):
        seen, event_id = [], uuid.uuid4()
        with handlers(note=lambda event, _: seen.append("note"), log=lambda event, _: seen.append("log")):
            arrive(delivery(1, event_id=event_id), delivery(1, event_id=event_id, handler="payments.log"))
            work(module="payments")
        assert sorted(seen) == ["log", "note"]

    def test_are_rolled_back_with_the_log_of_what_was_received(self):
        with handlers(note=fail):
            arrive(delivery(1))
            work(module="payments")
        assert not Received.objects.using(ALIAS).exists()


class TestFailure:
    def test_backs_off_before_the_next_attempt(self):
        with handlers(note=fail):
            arrive(delivery(1))
            _, [failure] = work(module="payments")
            assert work(module="payments") == (0, [])
            assert failure.attempts == 1
            assert not failure.dead
            _, [failure] = work(module="payments", now=later(60))
        assert failure.attempts == 2

    def test_ends_as_a_dead_letter_with_the_exception(self):
        with handlers(note=fail):
            arrive(delivery(1))
            exhaust()
        [letter] = dead()
        assert letter.attempts == MAX_ATTEMPTS
        assert letter.error == "Broken: no 1"
        assert letter.dead_at is not None

    def test_of_a_body_that_does_not_fit_the_view_is_a_failure_like_any_other(self):
        with handlers(note=lambda event, _: None):
            arrive(delivery("not a number"))  # type: ignore[arg-type]
            _, [failure] = work(module="payments")
        assert "valid integer" in str(failure.error)

    def test_of_an_event_older_than_the_log_is_a_dead_letter_at_once(self):
        seen = []
        with handlers(note=lambda event, _: seen.append(event.n)):
            arrive(delivery(1, time=datetime.now(UTC) - timedelta(days=31)))
            work(module="payments")
        [letter] = dead()
        assert letter.error.startswith("TooOldError")
        assert seen == []


class TestDeadLetter:
    def test_parks_its_lane_and_no_other(self):
        seen = []

        def note(event, _):
            if event.n == 1:
                raise Broken
            seen.append(event.n)

        with handlers(note=note):
            arrive(delivery(1), delivery(2))
            exhaust()
            arrive(delivery(3), delivery(7, key="other"))
            work(module="payments", now=later(9999))
        assert seen == [7]
        assert lanes() == [("k", True)]

    def test_lets_pass_what_compensates(self):
        seen = []
        with handlers(note=fail, undo=lambda event, _: seen.append(event.n)):
            arrive(delivery(1), delivery(2))
            exhaust()
            arrive(delivery(3, handler="payments.undo", compensates=True))
            work(module="payments", now=later(9999))
            assert seen == [3]
            arrive(delivery(4, handler="payments.undo", compensates=True))
            work(module="payments", now=later(9999))
        assert seen == [3, 4]
        assert waiting() == 1
        assert lanes() == [("k", True)]

    def test_lets_pass_a_compensation_that_already_waited_behind_it(self):
        seen = []
        with handlers(note=fail, undo=lambda event, _: seen.append(event.n)):
            arrive(delivery(1), delivery(2, handler="payments.undo", compensates=True))
            exhaust()
            work(module="payments", now=later(9999))
        assert seen == [2]

    def test_that_is_replayed_comes_before_what_waited_behind_it(self):
        seen = []
        with handlers(note=fail):
            arrive(delivery(1), delivery(2))
            exhaust()
        inbox.replay(alias=ALIAS, id=dead()[0].id)
        with handlers(note=lambda event, _: seen.append(event.n)):
            work(module="payments")
        assert seen == [1, 2]
        assert lanes() == []

    def test_that_is_discarded_lets_the_lane_go_on(self):
        seen = []
        with handlers(note=fail):
            arrive(delivery(1), delivery(2))
            exhaust()
        inbox.discard(alias=ALIAS, id=dead()[0].id)
        with handlers(note=lambda event, _: seen.append(event.n)):
            work(module="payments")
        assert seen == [2]
        assert lanes() == []

    def test_that_was_alone_leaves_no_lane_when_discarded(self):
        with handlers(note=fail):
            arrive(delivery(1))
            exhaust()
        inbox.discard(alias=ALIAS, id=dead()[0].id)
        assert lanes() == []

    def test_that_does_not_exist_is_refused(self):
        with pytest.raises(inbox.UnknownDeadLetterError, match="No dead letter 4711"):
            inbox.replay(alias=ALIAS, id=4711)


class TestSecrecy:
    def test_holds_in_the_error_of_a_body_that_does_not_fit(self):
        with handlers(note=lambda event, _: None):
            arrive(delivery("tok_secret"))  # type: ignore[arg-type]
            exhaust()
        assert "tok_secret" not in dead()[0].error

    def test_holds_in_the_error_of_a_row_that_the_database_refuses(self, caplog):
        def refuse(event, envelope):
            connections[ALIAS].cursor().execute(
                "INSERT INTO received (id, msg_id, added) VALUES (gen_random_uuid(), 'tok_secret', now())"
            )

        with handlers(note=refuse):
            arrive(delivery(1))
            exhaust()
        assert dead()[0].error.startswith("IntegrityError: null value")
        assert "tok_secret" not in dead()[0].error + caplog.text
        assert "in refuse" in caplog.text
