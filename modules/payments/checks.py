"""Misconfiguration dies at start-up, not at the first payment."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register("payments")
def check_psp_url(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """PSP_URL, where it is set, is an address; processes that drive no payments need none."""
    url = urlsplit(settings.PSP_URL)
    if not settings.PSP_URL or (url.scheme in ("http", "https") and url.hostname):
        return []
    return [
        Error(
            f"PSP_URL is {settings.PSP_URL!r}, which is no address.",
            hint="Set it to the payment provider's address, such as http://127.0.0.1:8200.",
            id="payments.E001",
        )
    ]
