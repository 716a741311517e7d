import io
import json

import httpx2
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from django_seams.testing import drain
from modules.inventory import api as inventory
from modules.orders import api as orders
from monolith import facts
from monolith.accounts.tokens import demo_token, find_token

pytestmark = pytest.mark.seams_db


def seed(timeout=0.1):
    output = io.StringIO()
    call_command("seed_demo", timeout=timeout, stdout=output)
    return output.getvalue()


def seed_and_drain():
    with pytest.raises(CommandError):
        seed()  # nobody relays
    drain()
    return seed()


class TestSeedDemo:
    def test_names_the_processes_without_which_it_waits_in_vain(self):
        with pytest.raises(CommandError, match=r"cup.*worker orders.*relay inventory → orders.*make run"):
            seed()

    def test_prints_a_token_that_works(self):
        assert demo_token() in seed_and_drain()
        assert find_token(demo_token()).user.username == "demo"

    def test_changes_nothing_when_it_runs_again(self):
        first = seed_and_drain()
        before = inventory.stock_levels(), orders.catalogue_versions()
        assert seed() == first
        drain()
        assert (inventory.stock_levels(), orders.catalogue_versions()) == before

    def test_tells_a_replica_that_was_emptied_again(self):
        seed_and_drain()
        apps.get_model("orders", "CatalogueProduct").objects.all().delete()
        assert orders.catalogue_versions() == {}
        with pytest.raises(CommandError):
            seed()
        drain()
        assert seed()


@pytest.fixture
def ledger(monkeypatch, settings):
    """The provider's ledger: a list of entries to be filled by the test."""
    settings.PSP_URL = "http://psp.test"
    entries = []

    def answer(url, **options):
        assert url == "http://psp.test/v1/ledger"
        return httpx2.Response(200, json={"entries": entries}, request=httpx2.Request("GET", url))

    monkeypatch.setattr(facts.httpx2, "get", answer)
    return entries


def audit(**options):
    output = io.StringIO()
    try:
        call_command("audit", settle=0.0, stdout=output, **options)
    except SystemExit as stop:
        return stop.code, output.getvalue()
    return 0, output.getvalue()


class TestAudit:
    def test_finds_nothing_where_nothing_happened(self, ledger):
        code, text = audit(json=True)
        assert code == 0
        assert json.loads(text) == {
            "orders": {"pending": 0, "paid": 0, "confirmed": 0, "cancelled": 0},
            "captured_minor": 0,
            "refunded_minor": 0,
            "refund_due": 0,
            "dead_letters": 0,
            "violations": [],
        }

    def test_ends_with_1_and_names_the_rule_when_something_is_wrong(self, ledger):
        ledger.append(
            {
                "seq": 1,
                "kind": "capture",
                "id": "cap_1",
                "capture_id": "cap_1",
                "idempotency_key": "k",
                "merchant_reference": "nobodys",
                "amount_minor": 500,
                "currency": "EUR",
                "at": "2026-11-22T10:00:00Z",
            }
        )
        code, text = audit()
        assert code == 1
        assert "VIOLATED captures_belong_to_an_order: money was captured for nobodys" in text
        assert "captured 500" in text

    def test_ends_with_2_when_the_ledger_cannot_be_read(self, settings):
        settings.PSP_URL = "http://127.0.0.1:9"
        with pytest.raises(CommandError, match="PSP_URL") as refusal:
            audit()
        assert refusal.value.returncode == 2


class TestSettledFacts:
    def test_drop_what_was_only_under_way(self, monkeypatch):
        readings = iter([["late", "wrong"], ["wrong", "new"], ["wrong"], ["wrong"]])
        monkeypatch.setattr(facts, "read_facts", lambda: None)
        monkeypatch.setattr(facts, "find_violations", lambda _: next(readings))
        assert facts.settled_facts(seconds=0.9)[1] == ["wrong"]
