"""The payment token: kept as long as a capture may follow, shown nowhere."""

import logging

import pytest
from django.contrib.admin.sites import AdminSite
from django.db import IntegrityError
from django.test import RequestFactory
from django.utils import timezone

from django_seams.modules import atomic
from modules.payments import api
from modules.payments.admin import PaymentAdmin
from modules.payments.handlers import OrderPlaced
from modules.payments.local.claims import claim_due
from modules.payments.local.driver import drive
from modules.payments.local.testing import FakeProvider, Fault
from modules.payments.models import Payment
from modules.payments.tests.arrivals import (
    a_placed_order,
    arrives,
    cancelled_arrives,
    payment_of,
    placed_arrives,
    published_about,
)
from modules.payments.types import State
from modules.payments.views import PaymentSerializer

SECRET = "tok_0123456789_secret"

pytestmark = pytest.mark.seams_db


class TestErasure:
    @pytest.mark.parametrize("token", ["tok_ok", "tok_declined"])
    def test_happens_with_the_provider_s_answer(self, token):
        order = a_placed_order(payment_token=token)
        placed_arrives(order)
        drive(now=timezone.now(), provider=FakeProvider())
        assert payment_of(order).payment_token == ""

    def test_happens_when_the_order_is_cancelled(self):
        order = a_placed_order()
        placed_arrives(order)
        cancelled_arrives(order)
        assert payment_of(order).payment_token == ""

    def test_waits_while_the_outcome_is_unknown(self):
        order, provider = a_placed_order(), FakeProvider()
        placed_arrives(order)
        provider.faults.append(Fault.REQUEST_LOST)
        drive(now=timezone.now(), provider=provider)
        assert payment_of(order).payment_token == "tok_ok"

    def test_is_not_needed_for_an_order_that_was_cancelled_before_it_was_seen(self):
        order = a_placed_order()
        cancelled_arrives(order)
        placed_arrives(order)
        assert payment_of(order).payment_token == ""

    def test_is_enforced_by_the_database(self):
        order = a_placed_order()
        placed_arrives(order)
        with pytest.raises(IntegrityError, match="token_erased"), atomic("payments"):
            Payment.objects.update(state=State.VOIDED, next_at=None)


class TestSecrecy:
    @pytest.fixture
    def payment(self):
        order = a_placed_order(payment_token=SECRET)
        placed_arrives(order)
        return payment_of(order)

    def test_holds_in_every_text_form(self, payment):
        claim = claim_due(now=timezone.now())
        assert claim is not None
        event = OrderPlaced.model_validate(a_placed_order(payment_token=SECRET))
        [summary] = api.payments()
        for shown in (payment, claim, claim.charge, event, summary):
            assert SECRET not in repr(shown) + str(shown)

    def test_holds_over_http(self, payment):
        assert SECRET not in str(PaymentSerializer(payment).data)

    def test_holds_in_the_log_and_in_what_is_published(self, payment, caplog):
        caplog.set_level(logging.DEBUG)
        drive(now=timezone.now(), provider=FakeProvider())
        assert caplog.records
        assert SECRET not in caplog.text
        events = published_about({"order_id": str(payment.order_id)})
        assert events
        assert SECRET not in str(events)

    def test_holds_in_the_error_of_an_event_that_does_not_fit(self):
        order = a_placed_order(payment_token=SECRET)
        del order["total_minor"]
        [failure] = arrives("orders.order_placed.v1", order)
        assert "total_minor" in str(failure.error)
        assert SECRET not in str(failure.error)

    def test_holds_in_the_admin_which_does_not_even_read_it(self, payment):
        page = PaymentAdmin(Payment, AdminSite())
        request = RequestFactory().get("/admin/")
        fields = [*page.get_fields(request, payment), *page.list_display, *page.search_fields]
        assert "payment_token" not in str(fields)
        [row] = page.get_queryset(request)
        assert "payment_token" in row.get_deferred_fields()


class TestAdmin:
    def test_changes_nothing(self):
        page, request = PaymentAdmin(Payment, AdminSite()), RequestFactory().get("/admin/")
        assert not page.has_add_permission(request)
        assert not page.has_change_permission(request)
        assert not page.has_delete_permission(request)
