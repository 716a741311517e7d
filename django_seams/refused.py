"""Commands of django-outbox-pattern that would lose events here."""

from argparse import ArgumentParser
from typing import Any, ClassVar, NoReturn

from django.core.management.base import BaseCommand, CommandError


class RefusedCommand(BaseCommand):
    """Answers with a pointer to the command that does the work here."""

    help = "Not used with django_seams."
    instead: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("anything", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        self.refuse()

    def refuse(self) -> NoReturn:
        raise CommandError(
            "django-outbox-pattern's own command reads only the default database and keeps no order. "
            f"Use `{self.instead}`."
        )
