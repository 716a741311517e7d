"""Work that may wait, on Celery."""

from django.utils import timezone

from django_seams import pruning
from django_seams.modules import configured_aliases
from monolith.celery import app


@app.task
def prune() -> None:
    """Delete what is past its retention from every outbox and inbox."""
    for alias in configured_aliases():
        pruning.prune(alias=alias, now=timezone.now())
