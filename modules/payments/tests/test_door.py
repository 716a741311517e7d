"""The door: what the roof may read, and what start-up refuses."""

import pytest
from django.core.checks import run_checks

from modules.payments import api
from modules.payments.tests.arrivals import a_placed_order, cancelled_arrives, payment_of, placed_arrives


@pytest.mark.seams_db
class TestPayments:
    def test_gives_frozen_summaries_oldest_first(self):
        order, unseen = a_placed_order(), a_placed_order()
        placed_arrives(order)
        cancelled_arrives(unseen)
        first, second = sorted(api.payments(), key=lambda payment: payment.amount_minor, reverse=True)
        assert first == api.PaymentSummary(
            payment_id=payment_of(order).pk,
            order_id=payment_of(order).order_id,
            state=api.State.REQUESTED,
            wanted=api.Wanted.CAPTURED,
            route=api.Route.LOCAL,
            amount_minor=1999,
            captured_minor=0,
            refunded_minor=0,
            currency="EUR",
        )
        assert (second.state, second.amount_minor, second.currency) == (api.State.UNSEEN, 0, "")


class TestStartUp:
    @pytest.mark.parametrize("url", ["", "http://127.0.0.1:8200", "https://psp.example"])
    def test_takes_an_address_or_none(self, settings, url):
        settings.PSP_URL = url
        assert run_checks(tags=["payments"]) == []

    @pytest.mark.parametrize("url", ["127.0.0.1:8200", "ftp://psp.example", "http://"])
    def test_refuses_a_psp_url_that_is_none(self, settings, url):
        settings.PSP_URL = url
        assert [error.id for error in run_checks(tags=["payments"])] == ["payments.E001"]
