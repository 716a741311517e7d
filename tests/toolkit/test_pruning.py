"""Old rows go, but never before every sink has them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone
from django_outbox_pattern.models import Published, Received

from django_seams.pruning import Pruned, RetentionError, prune

pytestmark = pytest.mark.seams_db
NOW = timezone.now()


def publish_days_ago(days: float) -> None:
    row = Published.objects.using("orders").create(id=uuid4(), destination="orders.order_placed.v1", body={})
    Published.objects.using("orders").filter(pk=row.pk).update(added=NOW - timedelta(days=days))


def receive_days_ago(days: float) -> None:
    row = Received.objects.using("orders").create(msg_id=f"orders.x:{uuid4()}")
    Received.objects.using("orders").filter(pk=row.pk).update(added=NOW - timedelta(days=days))


def stored_up_to(days_ago: float | None, *, target: str) -> None:
    with connections[target].cursor() as cursor:
        at = None if days_ago is None else NOW - timedelta(days=days_ago)
        cursor.execute("UPDATE seams_position SET commit_at = %s WHERE source = 'orders'", [at])


class TestPrune:
    def test_deletes_what_is_past_retention_and_stored_everywhere(self):
        for target in ("orders", "inventory", "payments"):
            stored_up_to(1, target=target)
        for days in (13, 15, 20):
            publish_days_ago(days)
        for days in (29, 31):
            receive_days_ago(days)
        assert prune(alias="orders", now=NOW) == Pruned(alias="orders", published=2, received=1)

    def test_keeps_what_the_slowest_sink_lacks(self):
        for target in ("orders", "inventory"):
            stored_up_to(1, target=target)
        stored_up_to(18, target="payments")
        for days in (15, 20):
            publish_days_ago(days)
        assert prune(alias="orders", now=NOW).published == 1

    def test_keeps_everything_while_a_sink_has_stored_nothing(self):
        for target in ("orders", "inventory"):
            stored_up_to(1, target=target)
        stored_up_to(None, target="payments")
        publish_days_ago(400)
        assert prune(alias="orders", now=NOW).published == 0

    def test_refuses_to_forget_what_was_handled_before_what_was_published(self, monkeypatch):
        monkeypatch.setitem(settings.SEAMS, "RECEIVED_RETENTION_DAYS", 3)
        with pytest.raises(RetentionError):
            prune(alias="orders", now=NOW)
