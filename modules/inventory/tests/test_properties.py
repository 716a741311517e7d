"""Whatever comes in whatever order, twice or late: the books agree and the end is the same."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.inventory.errors import ConfirmedButMissingError
from modules.inventory.lifecycle import TRANSITIONS, Fact
from modules.inventory.tests.shop import (
    REJECTED,
    RESERVED,
    assert_books_agree,
    empty_tables,
    level,
    lines_of,
    published,
    reservation,
    stocked,
    tell,
)
from modules.inventory.types import ReservationState

PLACED, PAID, CONFIRMED, CANCELLED = Fact.PLACED, Fact.PAID, Fact.CONFIRMED, Fact.CANCELLED
SKUS = ("CUP", "TEA")

ENDS = {  # all that is ever told of an order → the state that it must end in
    (PLACED,): ReservationState.PLACED,
    (PAID,): ReservationState.PAID,
    (PLACED, PAID): ReservationState.RESERVED,
    (PLACED, CANCELLED): ReservationState.CANCELLED,
    (PLACED, PAID, CANCELLED): ReservationState.CANCELLED,
    (PLACED, PAID, CONFIRMED): ReservationState.SOLD,
}
FINAL = [(PLACED, CANCELLED), (PLACED, PAID, CANCELLED), (PLACED, PAID, CONFIRMED)]

Story = tuple[tuple[Fact, ...], dict[str, int]]  # what is told of an order, and its quantities by SKU

# When one fails, finding the shortest story takes a while.
pytestmark = pytest.mark.timeout(600)
thorough = settings(max_examples=60, deadline=None)
quantities = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)


@st.composite
def shuffled(draw: st.DrawFn, told: list[tuple[Fact, ...]]) -> tuple[list[Story], list[tuple[int, Fact]]]:
    """Some orders, and everything that is told of them in any order, with duplicates at any distance."""
    stories = draw(st.lists(st.tuples(st.sampled_from(told), quantities), min_size=1, max_size=4))
    events = [(number, fact) for number, (facts, _) in enumerate(stories) for fact in facts]
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    return stories, draw(st.permutations(events + again))


def pieces_of(stories: list[Story], state: ReservationState) -> Counter[str]:
    pieces = Counter[str]()
    for facts, wanted in stories:
        pieces.update(wanted if ENDS[facts] is state else {})
    return pieces


def ids_of(stories: list[Story]) -> list[UUID]:
    return [uuid4() for _ in stories]


def assert_ended(ids: list[UUID], stories: list[Story]) -> None:
    for order_id, (facts, _) in zip(ids, stories, strict=True):
        assert reservation(order_id).state is ENDS[facts]


def is_taken(fact: Fact, order_id: UUID, wanted: dict[str, int]) -> bool:
    """Tell it; False when pieces are missing, so that it must be tried again."""
    try:
        tell(fact, order_id, lines_of(wanted))
    except ConfirmedButMissingError:
        return False
    return True


@pytest.mark.seams_db
class TestShuffledDuplicatedAndLateEvents:
    @thorough
    @given(shuffled(list(ENDS)))
    def test_end_where_the_plain_story_ends(self, drawn):
        stories, events = drawn
        ids = ids_of(stories)
        held, sold = (pieces_of(stories, state) for state in (ReservationState.RESERVED, ReservationState.SOLD))
        with empty_tables():
            for sku in SKUS:
                stocked(sku, 20)

            for number, fact in events:
                tell(fact, ids[number], lines_of(stories[number][1]))
                assert_books_agree()

            assert_ended(ids, stories)
            for sku in SKUS:
                assert level(sku) == (20 - held[sku] - sold[sku], held[sku], sold[sku])

    @thorough
    @given(shuffled(list(ENDS)))
    def test_get_one_answer_at_most_and_only_paid_orders_get_one(self, drawn):
        stories, events = drawn
        ids = ids_of(stories)
        with empty_tables():
            for sku in SKUS:
                stocked(sku, 3)

            for number, fact in events:
                is_taken(fact, ids[number], stories[number][1])

            assert_books_agree()
            answers = Counter(body["order_id"] for kind in (RESERVED, REJECTED) for body in published(kind))
            for order_id, (facts, _) in zip(ids, stories, strict=True):
                assert answers[str(order_id)] <= int({PLACED, PAID} <= set(facts))


@pytest.mark.seams_db
class TestARestoredInventory:
    @thorough
    @given(shuffled(FINAL))
    def test_sells_what_was_confirmed_from_stock_that_is_just_enough(self, drawn):
        """Everything is told again to tables that forgot it; what fails is tried again later.

        There is no piece too many: orders that end cancelled hold some meanwhile, and give them back.
        """
        stories, events = drawn
        ids, sold = ids_of(stories), pieces_of(stories, ReservationState.SOLD)
        with empty_tables():
            for sku in SKUS:
                stocked(sku, sold[sku])

            for _ in range(len(events) + 1):
                events = [(n, fact) for n, fact in events if not is_taken(fact, ids[n], stories[n][1])]

            assert events == []
            assert_ended(ids, stories)
            for sku in SKUS:
                assert level(sku) == (0, 0, sold[sku])


class TestTheTable:
    def test_has_a_row_for_every_state(self):
        assert set(TRANSITIONS) == set(ReservationState)
