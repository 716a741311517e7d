"""Create or repair roles, databases, publications, slots, positions and routes.

Idempotent. Starts the embedded servers first when no database URL is set.
"""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from django_seams.provision import provision

NEEDS_CHECKS = True


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="only report what is not as declared; exit 1 if anything")
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of lines")


def run(command: BaseCommand, *, check: bool, json: bool, **options: Any) -> None:
    if settings.SEAMS.get("EMBEDDED") is not None:
        settings.SEAMS["EMBEDDED"].start()
    report = _Report(command, silent=json, check=check)
    changed = provision(check=check, report=report)
    if json:
        _print_json(command, check=check, changed=changed, steps=report.steps)
    elif not changed:
        command.stdout.write(f"Everything is as declared ({report.steps} points looked at).")
    if check and changed:
        raise CommandError(f"{len(changed)} of {report.steps} points are not as declared; run `seams provision`.")


def _print_json(command: BaseCommand, *, check: bool, changed: list[str], steps: int) -> None:
    command.stdout.write(json.dumps({"check": check, "steps": steps, "missing" if check else "done": changed}))


class _Report:
    """Prints a line for each step that is not as declared, and counts them all."""

    def __init__(self, command: BaseCommand, *, silent: bool, check: bool) -> None:
        self._command, self._silent = command, silent
        self._mark = "missing" if check else "done   "
        self.steps = 0

    def __call__(self, title: str, was_done: bool) -> None:
        self.steps += 1
        if not was_done and not self._silent:
            self._command.stdout.write(f"{self._mark}  {title}")
