"""A step of provisioning: what should be true, how to see it, how to make it so."""

from collections.abc import Callable
from dataclasses import dataclass

from django_seams.errors import SeamsError


class ProvisionError(SeamsError):
    """The servers cannot be provisioned as they are."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """``title`` reads as what is so once the step is done."""

    title: str
    is_done: Callable[[], bool]
    do: Callable[[], object]
