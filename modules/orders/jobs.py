"""What time does in orders. The order owns the deadline of the whole saga."""

from datetime import datetime

from django_seams.timed import timed
from modules.orders import services
from modules.orders.idempotency import prune_idempotency_records


@timed(every=1.0)
def cancel_overdue_orders(now: datetime) -> int:
    """Cancel what is still open after its deadline."""
    return services.cancel_overdue_orders(now=now)


@timed(every=3600.0)
def forget_old_answers(now: datetime) -> int:
    """Remove answers that no retry will ask for any more."""
    return prune_idempotency_records(now)
