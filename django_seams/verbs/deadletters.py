"""List dead letters with what their handler raised; replay or discard one."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from django_seams.inbox import DeadLetter, dead_letters, discard, replay
from django_seams.modules import module_named


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("module", help="whose inbox, for instance orders")
    way_out = parser.add_mutually_exclusive_group()
    way_out.add_argument("--replay", type=int, metavar="ID", help="let the lane try this delivery again")
    way_out.add_argument("--discard", type=int, metavar="ID", help="give this delivery up and let its lane go on")
    parser.add_argument("--json", action="store_true", help="print a JSON document instead of lines")


def run(
    command: BaseCommand, *, module: str, replay: int | None, discard: int | None, json: bool, **options: Any
) -> None:
    alias = module_named(module).alias
    if replay is not None or discard is not None:
        command.stdout.write(_let_out(alias, replay, discard))
        return
    letters = list(dead_letters(alias=alias, module=module))
    if json:
        command.stdout.write(_document(letters))
    else:
        command.stdout.write("\n".join(map(_line, letters)) or f"No dead letters in {module}.")


def _let_out(alias: str, replay_id: int | None, discard_id: int | None) -> str:
    if replay_id is not None:
        replay(alias=alias, id=replay_id)
        return f"Dead letter {replay_id} will be tried again."
    assert discard_id is not None  # noqa: S101  argparse gave one of the two
    discard(alias=alias, id=discard_id)
    return f"Dead letter {discard_id} is discarded; its lane goes on."


def _document(letters: list[DeadLetter]) -> str:
    return json.dumps([asdict(letter) for letter in letters], default=str)


def _line(letter: DeadLetter) -> str:
    when = letter.dead_at.isoformat(timespec="seconds") if letter.dead_at else "?"
    return f"{letter.id}  {when}  {letter.type} → {letter.handler}  key {letter.key}\n    {letter.error}"
