"""Celery does what may wait. No order needs it: with Redis down everything still ends in time."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")

app = Celery("monolith")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["monolith"])
app.conf.beat_schedule = {
    "prune": {"task": "monolith.tasks.prune", "schedule": 3600.0, "options": {"expires": 3600.0}},
}
