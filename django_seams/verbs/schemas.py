"""Export the event schemas, or check that the committed files equal the declared events."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_seams import schemas


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=["export", "check"])
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of lines")


def run(command: BaseCommand, *, action: str, json: bool, **options: Any) -> None:
    lines = [str(path) for path in schemas.export()] if action == "export" else schemas.drift()
    key = "written" if action == "export" else "findings"
    command.stdout.write(_document(key, lines) if json else "\n".join(lines) or f"{action}: nothing to change.")
    if action == "check" and lines:
        raise CommandError(f"{len(lines)} event schemas differ from the code.")


def _document(key: str, lines: list[str]) -> str:
    return json.dumps({key: lines})
