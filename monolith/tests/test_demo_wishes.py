from monolith.demo.wishes import CONFIRMED, CONTESTED, OUT_OF_STOCK, PIECES_LEFT, all_wishes, wrong_ends


def ended_well():
    """Every wish with a right end; of the contested ones the first come is served."""
    left, ends = PIECES_LEFT, []
    for wish in all_wishes():
        if wish.story == CONTESTED:
            left -= 1
            ends.append((wish, *(CONFIRMED if left >= 0 else OUT_OF_STOCK)))
        else:
            ends.append((wish, *next(iter(wish.ends))))
    return ends


class TestWishes:
    def test_are_twenty_four_with_every_ending(self):
        ends = [end for wish in all_wishes() for end in wish.ends]
        assert len(all_wishes()) == 24
        assert {("confirmed", None), ("cancelled", "payment_failed"), ("cancelled", "out_of_stock")} <= set(ends)
        assert ("cancelled", "customer") in ends


class TestWrongEnds:
    def test_finds_nothing_where_all_ended_well(self):
        assert list(wrong_ends(ended_well())) == []

    def test_finds_an_order_that_ended_otherwise(self):
        (wish, *_), *rest = ended_well()
        assert list(wrong_ends([(wish, "cancelled", "deadline"), *rest])) == [
            f"{wish.story}: ended cancelled (deadline)"
        ]

    def test_finds_one_sold_too_many_and_one_too_few(self):
        for end in (CONFIRMED, OUT_OF_STOCK):
            ends = [(wish, *end) if wish.story == CONTESTED else (wish, *had) for wish, *had in ended_well()]
            assert any("were sold" in problem for problem in wrong_ends(ends))
