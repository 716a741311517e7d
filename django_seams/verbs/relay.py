"""Relay committed events from every module's outbox to the inboxes that subscribe to them.

Reads the write-ahead log as the relay's own role. A second relay stands by until the first is gone.
"""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand

from django_seams.modules import module_aliases
from django_seams.relay import connect_as_relay, run_relay
from django_seams.verbs._signals import stop_on_signals


def add_arguments(parser: ArgumentParser) -> None:
    """No options: routes come from the database."""


def run(command: BaseCommand, **options: Any) -> None:
    _refuse_if_nobody_answers()
    run_relay(stop_on_signals())


def _refuse_if_nobody_answers() -> None:
    """One database that is away is waited for while the others are served; all of them are a mistake."""
    failures: list[psycopg.OperationalError] = []
    for alias in module_aliases():
        try:
            connect_as_relay(alias).close()
        except psycopg.OperationalError as error:
            failures.append(error)
    if len(failures) == len(module_aliases()):
        raise failures[0]
