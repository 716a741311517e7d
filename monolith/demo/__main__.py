"""``python -m monolith.demo``: on a cluster of its own, emptied first. Exit code 0 only if all is well."""

import os
import signal
import sys
import time
from pathlib import Path

import django
from rich.console import Console

from django_seams.embedded import EmbeddedError, open_existing

FOLDER = Path(__file__).resolve().parents[2] / ".local" / "demo"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console, began = Console(highlight=False), time.monotonic()
    problems = _problems(console)
    for problem in problems:
        console.print(f"[red]✗[/] {problem}")
    verdict = (
        f"[red]Not as it should be; the logs are in {FOLDER}/logs.[/]" if problems else "[green]All as it should be.[/]"
    )
    console.print(f"{verdict} {time.monotonic() - began:.0f} s")
    return 1 if problems else 0


def _problems(console: Console) -> list[str]:
    try:
        _use_own_servers()
        from monolith.demo.story import tell  # needs Django's settings, and those the servers' folder

        return tell(console)
    except EmbeddedError as error:
        return [str(error)]
    except KeyboardInterrupt:
        return ["interrupted"]


def _use_own_servers() -> None:
    """Forget what servers the environment names, and what an earlier demo has left."""
    for name in list(os.environ):
        stem = name.removesuffix("_FILE")
        if stem.endswith("DATABASE_URL") or stem in ("REDIS_URL", "PSP_URL", "RELAY_USER", "RELAY_PASSWORD"):
            del os.environ[name]
    if servers := open_existing(FOLDER):
        servers.remove()
    os.environ["SEAMS_EMBEDDED"] = str(FOLDER)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")
    os.environ.setdefault("LOG_LEVEL", "INFO")
    django.setup()


if __name__ == "__main__":
    sys.exit(main())
