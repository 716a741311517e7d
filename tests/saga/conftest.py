"""A shop that sells TEA, on real tables."""

from collections.abc import Iterator

import pytest

from modules.payments.local.testing import FakeProvider, driving_with
from tests.saga.shop import Shop, offer
from tests.saga.wires import Wires


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
