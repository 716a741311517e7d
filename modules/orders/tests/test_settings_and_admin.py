from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import RequestFactory

from modules.orders.checks import check_order_deadline
from modules.orders.models import CatalogueProduct, Order


class TestTheDeadlineSetting:
    @pytest.mark.parametrize("deadline", [timedelta(milliseconds=1), timedelta(days=1)])
    def test_is_fine_when_positive(self, settings, deadline):
        settings.ORDER_DEADLINE = deadline
        assert check_order_deadline() == []

    @pytest.mark.parametrize("deadline", [timedelta(0), timedelta(seconds=-1), 120, "120", None])
    def test_is_refused_at_start_up_otherwise(self, settings, deadline):
        settings.ORDER_DEADLINE = deadline
        (error,) = check_order_deadline()
        assert error.id == "orders.E001"
        assert "ORDER_DEADLINE" in (error.hint or "")

    def test_is_refused_when_missing(self, settings):
        del settings.ORDER_DEADLINE
        assert len(check_order_deadline()) == 1


class TestTheAdmin:
    @pytest.mark.parametrize("model", [Order, CatalogueProduct])
    def test_is_to_look_at_only(self, model):
        pages, request = admin.site._registry[model], RequestFactory().get("/admin/")
        assert not pages.has_add_permission(request)
        assert not pages.has_change_permission(request)
        assert not pages.has_delete_permission(request)
        for inline in pages.inlines:
            assert not inline(model, admin.site).has_add_permission(request, None)
