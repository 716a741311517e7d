"""When orders are sent, and what the client does about connections."""

from bench.client import Shop, closed_loop, open_loop
from bench.load import arrivals


class TestArrivals:
    def test_by_chance_have_the_rate_on_average_and_are_the_same_each_time(self) -> None:
        offsets = arrivals(rate=50, seconds=100, seed=1, even=False)
        assert 4700 < len(offsets) < 5300
        assert offsets == arrivals(rate=50, seconds=100, seed=1, even=False)
        assert offsets != arrivals(rate=50, seconds=100, seed=2, even=False)

    def test_evenly_spaced_begin_at_once_and_end_in_time(self) -> None:
        assert arrivals(rate=2, seconds=2, seed=1, even=True) == [0.0, 0.5, 1.0, 1.5]


class TestLoops:
    def test_open_loop_sends_each_order_once_and_tells_when_it_was_due(self) -> None:
        due = [attempt["due"] for attempt in open_loop(lambda at: {"due": at}, [0.0, 0.01, 0.02], 2)]
        assert [round(each - due[0], 6) for each in due] == [0.0, 0.01, 0.02]

    def test_closed_loop_collects_what_every_connection_did(self) -> None:
        places: list[float] = []

        def place(at: float) -> dict:
            places.append(at)
            return {"due": at}

        assert len(closed_loop(place, 0.02, 3)) == len(places) > 0


class TestShop:
    def test_tells_of_an_order_that_could_not_be_sent(self) -> None:
        shop = Shop(host="127.0.0.1", port=1, token="t", skus=["a", "b"], seed=1)
        attempt = shop.place(5.0)
        assert (attempt["due"], attempt["status"]) == (5.0, 0)
        assert "ConnectionRefusedError" in attempt["error"]
