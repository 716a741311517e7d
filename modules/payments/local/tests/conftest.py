"""What the driver's tests start from: a clock, a provider, a placed order."""

import pytest

from modules.payments.local.testing import FakeProvider
from modules.payments.local.tests.driving import Clock, place


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def provider():
    return FakeProvider()


@pytest.fixture
def order():
    return place("tok_ok")
