"""The admin shows inventory's tables and changes nothing."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import RequestFactory

from modules.inventory.lifecycle import Fact
from modules.inventory.tests.shop import lines_of, stocked, tell

MODELS = ["Product", "Stock", "Receipt", "Reservation"]


@pytest.fixture
def look():
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_staff=True, is_active=True)
    return request


@pytest.mark.seams_db
class TestAdmin:
    def test_shows_every_table(self):
        assert {model.__name__ for model in apps.get_app_config("inventory").get_models()} == set(MODELS)

    @pytest.mark.parametrize("name", MODELS)
    def test_lists_rows(self, look, name):
        stocked("CUP", 5)
        tell(Fact.PLACED, uuid4(), lines_of({"CUP": 2}))
        page = admin.site.get_model_admin(apps.get_model("inventory", name))

        answer = page.changelist_view(look).render()

        assert answer.status_code == 200
        assert "1 total" in answer.content.decode() or "1 " in answer.content.decode()

    @pytest.mark.parametrize("name", MODELS)
    def test_lets_even_a_superuser_change_nothing(self, look, name):
        page = admin.site.get_model_admin(apps.get_model("inventory", name))

        assert not page.has_add_permission(look)
        assert not page.has_change_permission(look)
        assert not page.has_delete_permission(look)
        assert page.has_view_permission(look)
