"""Work for one module: handle its inbox and run its timed jobs. Needs that module's database only."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections

from django_seams.modules import UnknownModuleError, is_configured, module_named
from django_seams.verbs._signals import stop_on_signals
from django_seams.worker import run_worker

NEEDS_CHECKS = True


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("module", help="name of a declared module, for instance orders")


def run(command: BaseCommand, *, module: str, **options: Any) -> None:
    alias = module_named(module).alias
    if not is_configured(alias):
        raise UnknownModuleError(f"The worker of {module} needs the URL of database {alias!r} in its environment.")
    connections[alias].ensure_connection()  # away now: say so and exit; away later: wait for it
    run_worker(module, stop_on_signals())
