"""Whatever comes in whatever order, twice or late: the books agree and the end is the same."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.inventory.errors import ConfirmedButMissingError
from modules.inventory.lifecycle import TRANSITIONS, Fact
from modules.inventory.tests.shop import (
    REJECTED,
    RESERVED,
    assert_books_agree,
    level,
    lines_of,
    published,
    reservation,
    stocked,
    tell,
)
from modules.inventory.types import ReservationState

# Every example makes products and orders of its own, so examples may share the test's transaction.
thorough = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

PLACED, PAID, CONFIRMED, CANCELLED = Fact.PLACED, Fact.PAID, Fact.CONFIRMED, Fact.CANCELLED
Order = tuple[tuple[Fact, ...], dict[str, int]]

lines = st.dictionaries(st.sampled_from(["CUP", "TEA", "POT"]), st.integers(1, 4), min_size=1)
open_or_closed = st.sampled_from(
    [
        (PLACED,),
        (PAID,),
        (PLACED, PAID),
        (PLACED, CANCELLED),
        (PLACED, PAID, CANCELLED),
        (PLACED, PAID, CONFIRMED),
    ]
)
closed = st.sampled_from([(PLACED, PAID, CONFIRMED), (PLACED, PAID, CANCELLED), (PLACED, CANCELLED)])

ENDS = {  # what is known in the end → the state and whether the pieces are held or sold
    frozenset({PLACED}): ReservationState.PLACED,
    frozenset({PAID}): ReservationState.PAID,
    frozenset({PLACED, PAID}): ReservationState.RESERVED,
    frozenset({PLACED, CANCELLED}): ReservationState.CANCELLED,
    frozenset({PLACED, PAID, CANCELLED}): ReservationState.CANCELLED,
    frozenset({PLACED, PAID, CONFIRMED}): ReservationState.SOLD,
}


@st.composite
def arrivals(
    draw: st.DrawFn, histories: st.SearchStrategy[tuple[Fact, ...]]
) -> tuple[list[Order], list[tuple[int, Fact]]]:
    """Some orders, and all that is told of them: shuffled, with duplicates at any distance."""
    orders = draw(st.lists(st.tuples(histories, lines), min_size=1, max_size=4))
    told = [(number, fact) for number, (history, _) in enumerate(orders) for fact in history]
    again = draw(st.lists(st.sampled_from(told), max_size=6))
    return orders, draw(st.permutations(told + again))


def opened(orders: list[Order], pieces: dict[str, int]) -> tuple[str, list[UUID]]:
    """A shop of SKUs that no other example has; answers their suffix, and an id per order."""
    suffix = uuid4().hex[:12]
    for sku, number in pieces.items():
        stocked(f"{sku}-{suffix}", number)
    return suffix, [uuid4() for _ in orders]


def held_in_the_end(orders: list[Order], state: ReservationState) -> Counter[str]:
    ends = Counter[str]()
    for history, quantities in orders:
        ends.update(quantities if ENDS[frozenset(history)] is state else {})
    return ends


@pytest.mark.seams_db
class TestShuffledDuplicatedAndLateEvents:
    @thorough
    @given(arrivals(open_or_closed))
    def test_end_where_the_plain_story_ends(self, drawn):
        orders, told = drawn
        suffix, ids = opened(orders, {"CUP": 20, "TEA": 20, "POT": 20})
        wanted = [lines_of({f"{sku}-{suffix}": q for sku, q in each.items()}) for _, each in orders]

        for number, fact in told:
            tell(fact, ids[number], wanted[number])
            assert_books_agree()

        for order_id, (history, _) in zip(ids, orders, strict=True):
            assert reservation(order_id).state is ENDS[frozenset(history)]
        held = held_in_the_end(orders, ReservationState.RESERVED)
        sold = held_in_the_end(orders, ReservationState.SOLD)
        for sku in ("CUP", "TEA", "POT"):
            assert level(f"{sku}-{suffix}") == (20 - held[sku] - sold[sku], held[sku], sold[sku])

    @thorough
    @given(arrivals(open_or_closed))
    def test_publish_one_answer_per_order_at_most(self, drawn):
        orders, told = drawn
        suffix, ids = opened(orders, {"CUP": 3, "TEA": 3, "POT": 3})

        for number, fact in told:
            quantities = {f"{sku}-{suffix}": q for sku, q in orders[number][1].items()}
            try:
                tell(fact, ids[number], lines_of(quantities))
            except ConfirmedButMissingError:
                continue  # told again by nobody here: the order stays unsold, which is all that is checked
        assert_books_agree()

        answers = Counter(body["order_id"] for kind in (RESERVED, REJECTED) for body in published(kind))
        assert all(answers[str(order_id)] <= 1 for order_id in ids)
        for order_id, (history, _) in zip(ids, orders, strict=True):
            assert answers[str(order_id)] == 0 or {PLACED, PAID} <= set(history)


@pytest.mark.seams_db
class TestARestoredInventory:
    @thorough
    @given(arrivals(closed))
    def test_sells_what_was_confirmed_from_stock_that_is_just_enough(self, drawn):
        """All is told again to a database that forgot it, and failed deliveries are tried again.

        There is no piece too many: orders that end cancelled hold some meanwhile, and give them back.
        """
        orders, told = drawn
        sold = held_in_the_end(orders, ReservationState.SOLD)
        suffix, ids = opened(orders, {sku: sold[sku] for sku in ("CUP", "TEA", "POT")})

        for _ in range(len(told) + 1):
            told = [(number, fact) for number, fact in told if not self.delivered(orders, ids, suffix, number, fact)]

        assert told == []
        assert_books_agree()
        for order_id, (history, _) in zip(ids, orders, strict=True):
            assert reservation(order_id).state is ENDS[frozenset(history)]
        for sku in ("CUP", "TEA", "POT"):
            assert level(f"{sku}-{suffix}") == (0, 0, sold[sku])

    @staticmethod
    def delivered(orders: list[Order], ids: list[UUID], suffix: str, number: int, fact: Fact) -> bool:
        quantities = {f"{sku}-{suffix}": q for sku, q in orders[number][1].items()}
        try:
            tell(fact, ids[number], lines_of(quantities))
        except ConfirmedButMissingError:
            return False
        return True


class TestTheTable:
    def test_has_a_row_for_every_state(self):
        assert set(TRANSITIONS) == set(ReservationState)
