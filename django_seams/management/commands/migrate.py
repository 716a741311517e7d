"""``migrate`` without ``--database`` migrates every database: with only ``default`` migrated, Django
would record the modules' migrations there as applied and create none of their tables."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from django_seams.modules import configured_aliases, is_configured


class Command(migrate.Command):
    help = f"{migrate.Command.help} Without --database: in every configured database."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=None)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"]:
            super().handle(*args, **options)
            return
        for alias in dict.fromkeys(["default", *configured_aliases()]):
            if is_configured(alias):
                if options["verbosity"]:
                    self.stdout.write(self.style.MIGRATE_HEADING(f"Database {alias}"))
                call_command(self, *args, **(options | {"database": alias}))
