"""Start-up checks: a wrong setting is refused here, not at the first order."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_order_deadline(*, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """ORDER_DEADLINE must be a positive timedelta."""
    deadline = getattr(settings, "ORDER_DEADLINE", None)
    if isinstance(deadline, timedelta) and deadline > timedelta(0):
        return []
    return [
        Error(
            f"ORDER_DEADLINE is {deadline!r}, not a positive span of time.",
            hint="Set ORDER_DEADLINE to the seconds that an order may stay open, for example 120.",
            id="orders.E001",
        )
    ]
