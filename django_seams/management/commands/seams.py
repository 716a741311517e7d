"""``manage.py seams VERB``: one door to everything the toolkit does."""

from argparse import ArgumentParser
from importlib import import_module
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from django_seams.errors import SeamsError

VERBS = ("provision", "relay", "worker", "schemas", "deadletters")


class Command(BaseCommand):
    help = "Modules, events and the processes that carry them. `seams VERB --help` says more."
    requires_system_checks = ()  # the verbs that need them run them: provisioning must work on a half-made system

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
        for name in VERBS:
            verb = import_module(f"django_seams.verbs.{name}")
            text = (verb.__doc__ or "").strip()
            child = verbs.add_parser(name, help=text.splitlines()[0], description=text)
            verb.add_arguments(child)

    def handle(self, *args: Any, **options: Any) -> None:
        verb = import_module(f"django_seams.verbs.{options.pop('verb')}")
        try:
            if getattr(verb, "NEEDS_CHECKS", False):
                self.check(tags=["seams"])
            verb.run(self, **options)
        except (SeamsError, OperationalError, psycopg.OperationalError) as error:
            raise CommandError(" ".join(str(error).split())) from error
