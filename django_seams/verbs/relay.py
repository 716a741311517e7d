"""Relay committed events from every module's outbox to the inboxes that subscribe to them.

Reads the write-ahead log as the relay's own role. A second relay stands by until the first is gone.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from django_seams.relay import run_relay
from django_seams.verbs._signals import stop_on_signals


def add_arguments(parser: ArgumentParser) -> None:
    """No options: routes come from the database."""


def run(command: BaseCommand, **options: Any) -> None:
    run_relay(stop_on_signals())
