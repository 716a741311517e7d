"""The arithmetic of the bench, on orders whose times are known."""

import pytest

from bench.measures import (
    STAGES,
    Attempt,
    Life,
    backlog_at,
    confirmed_per_second,
    keeps_up,
    placed_to_confirmed,
    post,
    spread,
    stages,
)
from bench.targets import judge, sustained_rate


def life(*, due: float = 0.0, placed: float | None = None, confirmed: float | None = None) -> Life:
    events = {STAGES[0]: placed, STAGES[-1]: confirmed}
    known = {name: at for name, at in events.items() if at is not None}
    return Life(attempt=Attempt(due=due, sent=due, answered=due + 0.01, status=201, order_id="x"), events=known)


class TestSpread:
    def test_takes_numbers_that_were_really_seen(self) -> None:
        found = spread(number / 1000 for number in range(1, 101))
        assert (found.p50, found.p90, found.p95, found.p99, found.max) == (50, 90, 95, 99, 100)

    def test_of_one_duration_is_that_duration(self) -> None:
        assert {*spread([0.007]).as_json().values()} == {1, 7.0}

    def test_of_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no order came to its end"):
            spread([])


class TestDurations:
    def test_leave_out_orders_that_were_not_confirmed(self) -> None:
        assert placed_to_confirmed([life(placed=1.0, confirmed=1.25), life(placed=2.0)]).count == 1

    def test_of_a_post_count_from_when_it_was_due_not_from_when_it_was_sent(self) -> None:
        late = Attempt(due=1.0, sent=3.0, answered=3.5, status=201)
        assert post([late, Attempt(due=1.0, sent=1.0, answered=1.1, status=503)]).max == 2500

    def test_of_the_stages_add_up_to_the_whole(self) -> None:
        times = dict(zip(STAGES, (1.0, 1.1, 1.3, 1.6), strict=True))
        whole = Life(attempt=Attempt(due=1, sent=1, answered=1, status=201), events=times)
        assert sum(each.p50 for each in stages([whole]).values()) == pytest.approx(600)


class TestBacklog:
    def test_counts_what_was_due_and_not_confirmed_even_if_it_never_reached_the_system(self) -> None:
        lives = [life(due=1.0), life(due=1.0, confirmed=5.0), life(due=1.0, confirmed=1.5), life(due=9.0)]
        assert backlog_at(lives, 2.0) == 2

    def test_of_half_a_second_is_kept_up_with_and_more_is_not(self) -> None:
        assert keeps_up(backlog=20, rate=40)
        assert not keeps_up(backlog=21, rate=40)

    def test_rate_counts_confirmations_between_two_moments(self) -> None:
        lives = [life(confirmed=at) for at in (0.5, 1.5, 2.5, 2.9, 3.1)]
        assert confirmed_per_second(lives, start=1.0, end=3.0) == 1.5


class TestTargets:
    def results(self, *rates: tuple[float, bool]) -> dict:
        return {
            "latency": {"placed_to_confirmed_ms": {"p50": 30.0, "p99": 80.0}},
            "rates": [{"rate": rate, "keeps_up": kept} for rate, kept in rates],
        }

    def test_say_by_how_much_they_are_missed(self) -> None:
        p50, p99, sustained, aim = judge(self.results((30, True), (40, True), (50, False)))
        assert (p50["met"], p50["missed_by"]) == (False, 0.2)
        assert (p99["met"], p99["missed_by"]) == (True, 0.0)
        assert sustained["met"]
        assert aim["missed_by"] == pytest.approx(0.333)

    def test_find_no_sustained_rate_when_none_was_kept_up_with(self) -> None:
        assert sustained_rate(self.results((10, False))) == 0
