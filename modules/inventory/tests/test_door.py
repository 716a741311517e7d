"""What crosses the door is frozen and knows nothing of the ORM."""

from dataclasses import FrozenInstanceError
from typing import Any
from uuid import uuid4

import pytest

from modules.inventory import api
from modules.inventory.lifecycle import Fact
from modules.inventory.tests.shop import lines_of, stocked, tell
from modules.inventory.types import Reservation, ReservationLine, ReservationState, StockLevel


@pytest.mark.seams_db
class TestDoor:
    def test_stock_levels_come_in_sku_order(self):
        for sku, pieces in (("TEA", 2), ("CUP", 5)):
            stocked(sku, pieces)

        assert api.stock_levels() == [
            StockLevel(sku="CUP", on_hand=5, reserved=0, sold=0, received=5),
            StockLevel(sku="TEA", on_hand=2, reserved=0, sold=0, received=2),
        ]

    def test_reservations_tell_state_and_lines(self):
        seen, unseen = uuid4(), uuid4()
        tell(Fact.PLACED, seen, lines_of({"TEA": 1, "CUP": 2}))
        tell(Fact.CANCELLED, unseen)

        found = {each.order_id: each for each in api.reservations()}

        lines = (ReservationLine(sku="CUP", quantity=2), ReservationLine(sku="TEA", quantity=1))
        assert found[seen] == Reservation(order_id=seen, state=ReservationState.PLACED, lines=lines)
        assert found[unseen] == Reservation(order_id=unseen, state=ReservationState.CANCELLED, lines=())

    def test_values_cannot_be_changed(self):
        stocked("CUP", 5)
        level: Any
        [level] = api.stock_levels()

        with pytest.raises(FrozenInstanceError):
            level.on_hand = 6
