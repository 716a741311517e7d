"""The admin shows inventory's tables and changes nothing."""

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.test import RequestFactory
from django.utils.html import escape

from modules.inventory.admin import LookOnlyAdmin
from modules.inventory.lifecycle import Fact
from modules.inventory.tests.shop import lines_of, stocked, tell

MODELS = ["Product", "Stock", "Receipt", "Reservation"]


@pytest.fixture
def look() -> Any:
    request: Any = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_staff=True, is_active=True)
    return request


def page_of(name: str) -> Any:
    return admin.site.get_model_admin(apps.get_model("inventory", name))


@pytest.mark.seams_db
class TestAdmin:
    def test_registers_every_table_for_looking(self):
        models = apps.get_app_config("inventory").get_models()

        assert {model.__name__ for model in models} == set(MODELS)
        assert all(isinstance(page_of(name), LookOnlyAdmin) for name in MODELS)

    @pytest.mark.parametrize("name", MODELS)
    def test_lists_rows_and_shows_one(self, look, name):
        stocked("CUP", 5)
        tell(Fact.PLACED, uuid4(), lines_of({"CUP": 2}))
        page = page_of(name)
        [row] = page.get_queryset(look)

        listed = page.changelist_view(look).render().content.decode()
        shown = page.changeform_view(look, quote(str(row.pk))).render().content.decode()

        assert str(getattr(row, page.list_display[0])) in listed
        assert escape(str(row)) in shown

    @pytest.mark.parametrize("name", MODELS)
    def test_lets_even_a_superuser_change_nothing(self, look, name):
        page = page_of(name)

        assert not page.has_add_permission(look)
        assert not page.has_change_permission(look)
        assert not page.has_delete_permission(look)
        assert page.has_view_permission(look)
