"""The 24 orders: what each customer does, and how it has to end."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from monolith.management.commands.seed_demo import LAST_ITEMS, PRODUCTS

PIECES_LEFT = next(pieces for sku, _, _, pieces in PRODUCTS if sku == LAST_ITEMS)

CONFIRMED = ("confirmed", None)
OUT_OF_STOCK = ("cancelled", "out_of_stock")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """An order to be placed. ``ends`` are the (status, reason) that are right for it."""

    story: str
    sku: str
    token: str
    ends: frozenset[tuple[str, str | None]]
    quantity: int = 1
    is_cancelled: bool = False


def _wishes(count: int, story: str, sku: str, token: str, *ends: tuple[str, str | None], **rest: bool) -> list[Wish]:
    return [Wish(story=story, sku=sku, token=token, ends=frozenset(ends), **rest) for _ in range(count)]


LOST = "response lost after capture"
CONTESTED = f"six buyers for the last {PIECES_LEFT}"
STORIES = [
    _wishes(7, "bought", "cup", "tok_ok", CONFIRMED),
    _wishes(1, "provider failed at first", "beans", "tok_error_then_ok", CONFIRMED),
    _wishes(3, LOST, "kettle", "tok_lost_response", CONFIRMED),
    _wishes(4, "card declined", "beans", "tok_declined", ("cancelled", "payment_failed")),
    _wishes(6, CONTESTED, LAST_ITEMS, "tok_ok", CONFIRMED, OUT_OF_STOCK),
    _wishes(3, "cancelled by the customer", "kettle", "tok_slow", ("cancelled", "customer"), is_cancelled=True),
]


def all_wishes() -> list[Wish]:
    """All 24, the stories mixed."""
    return [wish for row in zip_longest(*STORIES) for wish in row if wish is not None]


def wrong_ends(ends: Iterable[tuple[Wish, str, str | None]]) -> Iterator[str]:
    """What is wrong with how the orders (wish, status, reason) ended; nothing if all is well."""
    sold = Counter[str]()
    for wish, status, reason in ends:
        if (status, reason) not in wish.ends:
            yield f"{wish.story}: ended {status} ({reason or 'no reason'})"
        sold[wish.story] += (status, reason) == CONFIRMED
    if sold[CONTESTED] != PIECES_LEFT:
        yield f"{CONTESTED}: {sold[CONTESTED]} were sold"
