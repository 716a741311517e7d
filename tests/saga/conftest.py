"""A shop that sells TEA, on real tables."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from django_seams import bus
from django_seams.bus import handlers_of
from django_seams.events import Envelope
from modules.payments.local.testing import FakeProvider, driving_with
from tests.saga.shop import Shop, offer
from tests.saga.wires import Wires

Broken = Callable[[str, str], AbstractContextManager[None]]


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with driving_with(FakeProvider()) as provider:
        yield provider


@pytest.fixture
def shop(db: None, provider: FakeProvider) -> Shop:
    offer("TEA", pieces=10)
    return Shop(provider)


@pytest.fixture
def wires(shop: Shop) -> Wires:
    return Wires()


@pytest.fixture
def broken() -> Broken:
    """``with broken("payments", order):`` that module cannot handle order_placed of this order."""
    return _broken


@contextmanager
def _broken(module: str, order: str) -> Iterator[None]:
    handler = {"payments": "payments.charge_order", "inventory": "inventory.want_stock"}[module]
    whole = handlers_of(module)[handler]

    def call(event: Any, envelope: Envelope) -> None:
        if envelope.subject == order:
            raise RuntimeError("out of order")
        whole.call(event, envelope)

    with patch.dict(bus._subscriptions, {handler: replace(whole, call=call)}):
        yield
