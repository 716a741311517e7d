import pytest
from django.db import OperationalError, connections
from django.test import Client

from django_seams import liveness
from monolith import health

pytestmark = pytest.mark.seams_db


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(health, "_migrated", set())


@pytest.fixture
def processes_seen(monkeypatch):
    monkeypatch.setattr(liveness, "missing", lambda alias: [])


class TestLivez:
    def test_needs_no_token_and_no_database(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert Client().get("/livez").json() == {"status": "alive"}


class TestReadyz:
    def test_is_ready_when_nothing_is_missing(self, processes_seen):
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})

    def test_names_the_processes_that_were_not_seen(self):
        answer = Client().get("/readyz")
        assert answer.status_code == 503
        assert answer["Content-Type"] == "application/problem+json"
        said = {(error["field"], error["detail"]) for error in answer.json()["errors"]}
        assert ("orders", "worker orders not seen") in said
        assert ("payments", "relay orders → payments not seen") in said
        assert "worker inventory" in answer.json()["detail"]

    def test_names_a_database_that_does_not_answer(self, processes_seen, monkeypatch):
        def refuse(*args, **kwargs):
            raise OperationalError("connection refused")

        monkeypatch.setattr(connections["payments"], "cursor", refuse)
        answer = Client().get("/readyz")
        assert [error["field"] for error in answer.json()["errors"]] == ["payments"]
        assert "connection refused" in answer.json()["detail"]

    def test_names_the_alias_with_pending_migrations(self, processes_seen):
        with connections["inventory"].cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'inventory'")
        answer = Client().get("/readyz")
        assert answer.status_code == 503
        (error,) = answer.json()["errors"]
        assert error["field"] == "inventory"
        assert "seams provision" in error["detail"]
