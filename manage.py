#!/usr/bin/env python
"""Django's command line for the reference system."""

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        reason = " ".join(str(error).split())
        sys.stderr.write(
            f"PostgreSQL does not answer: {reason}. Start it, or correct the *DATABASE_URL that names it; "
            "with none of them set, `make run` starts an embedded one.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
