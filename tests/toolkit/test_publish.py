"""publish() writes with the change or not at all, in commit order per key."""

import threading
import time
from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django_outbox_pattern.models import Published
from pydantic import ValidationError

from django_seams.bus import handling
from django_seams.modules import atomic, in_transaction
from django_seams.outbox import EventRefusedError, PublishOutsideTransactionError, publish
from modules.orders.events import OrderCancelled, OrderConfirmed


def confirmed(order_id: UUID | None = None) -> OrderConfirmed:
    return OrderConfirmed(order_id=order_id or uuid4())


def published() -> list[Published]:
    return list(Published.objects.using("orders").order_by("added"))


@pytest.mark.seams_db
class TestPublish:
    def test_outside_a_transaction_is_an_error_even_under_a_test_case(self):
        assert connections["orders"].in_atomic_block
        with pytest.raises(PublishOutsideTransactionError, match=r'atomic\("orders"\)'):
            publish(confirmed())
        assert published() == []

    def test_inside_another_databases_transaction_is_an_error(self):
        with atomic("payments"), pytest.raises(PublishOutsideTransactionError):
            publish(confirmed())

    def test_goes_with_the_transaction_that_it_is_in(self):
        with suppress(ZeroDivisionError), atomic("orders"):
            publish(confirmed())
            assert len(published()) == 1
            _ = 1 / 0
        assert published() == []

    def test_writes_the_body_and_an_envelope(self):
        event = confirmed()
        with atomic("orders"):
            [envelope] = publish(event)
        [row] = published()
        assert row.id == envelope.id
        assert row.destination == "orders.order_confirmed.v1"
        assert row.body == {"order_id": str(event.order_id)}
        assert row.headers["subject"] == str(event.order_id)
        assert row.headers["specversion"] == "1.0"
        assert row.headers["source"] == "/modules/orders"
        assert row.headers["dop-msg-id"] == str(row.id)
        assert row.headers["traceparent"].startswith("00-")
        assert "causationid" not in row.headers

    def test_names_the_event_that_caused_it_and_stays_in_its_trace(self):
        with atomic("orders"):
            [cause] = publish(confirmed())
            with handling(cause):
                [effect] = publish(confirmed())
        assert effect.causation_id == cause.id
        assert effect.traceparent.split("-")[1] == cause.traceparent.split("-")[1]
        assert effect.traceparent != cause.traceparent

    def test_refuses_an_event_that_does_not_fit_its_schema(self):
        with atomic("orders"), pytest.raises(EventRefusedError, match="order_id"):
            publish(OrderConfirmed.model_construct(order_id="not an id"))
        with pytest.raises(ValidationError):
            OrderCancelled(order_id=uuid4(), reason="bad mood")
        assert published() == []

    def test_refuses_what_is_no_event(self):
        with atomic("orders"), pytest.raises(EventRefusedError, match="dict"):
            publish({"order_id": "1"})  # type: ignore[arg-type]

    def test_of_nothing_does_nothing(self):
        assert publish() == []

    def test_under_a_test_case_only_the_tests_own_blocks_are_ignored(self):
        assert not in_transaction("orders")
        with atomic("orders"):
            assert in_transaction("orders")
            assert not in_transaction("payments")


@pytest.mark.seams_db(transaction=True)
class TestOrderOfOneKey:
    def test_is_the_order_of_commits_with_eight_publishers(self):
        keys = [uuid4() for _ in range(3)]
        commits: list[tuple[UUID, UUID]] = []
        noting = threading.Lock()

        def publish_some(nth: int) -> None:
            for n in range(12):
                key = keys[(nth + n) % 3]
                with atomic("orders"):
                    [envelope] = publish(confirmed(key))
                    time.sleep(0.001)
                    with noting:  # the key's lock is still held: this is the order of commits
                        commits.append((key, envelope.id))
            connections["orders"].close()

        threads = [threading.Thread(target=publish_some, args=(nth,)) for nth in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with connections["orders"].cursor() as cursor:
            cursor.execute("SELECT headers ->> 'subject', id FROM published ORDER BY seq")
            by_seq = [(UUID(subject), id_) for subject, id_ in cursor.fetchall()]
        assert len(by_seq) == 96
        for key in keys:
            assert [pair for pair in by_seq if pair[0] == key] == [pair for pair in commits if pair[0] == key]

    def test_of_two_keys_in_opposite_order_does_not_deadlock(self):
        one, two = confirmed(), confirmed()
        barrier = threading.Barrier(2, timeout=10)
        failures: list[Exception] = []

        def publish_both(*events: OrderConfirmed) -> None:
            try:
                for _ in range(20):
                    barrier.wait()
                    with atomic("orders"):
                        publish(*events)
            except Exception as error:
                failures.append(error)
                barrier.abort()
            finally:
                connections["orders"].close()

        threads = [threading.Thread(target=publish_both, args=pair) for pair in ((one, two), (two, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert Published.objects.using("orders").count() == 80
