"""The environment of the measured system: its own servers, durable, emptied first, and nothing else."""

import os
from pathlib import Path
from typing import Final

import django

from django_seams.embedded import open_existing

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / ".local" / "bench"
QUICK_FOLDER: Final = ROOT / ".local" / "bench-quick"  # not in FOLDER, which is emptied
PSP_DELAY_MS: Final = 2

_SETTINGS = frozenset(
    {
        "DEBUG",
        "LOG_LEVEL",
        "ORDER_DEADLINE",
        "PORT",
        "PSP_URL",
        "REDIS_URL",
        "RELAY_PASSWORD",
        "RELAY_USER",
        "SECRET_KEY",
    }
)


def use_own_servers() -> None:
    """Forget every setting that the environment has, and what an earlier run has left; set Django up."""
    for name in list(os.environ):
        stem = name.removesuffix("_FILE")
        if stem in _SETTINGS or stem.endswith("DATABASE_URL"):
            del os.environ[name]
    if servers := open_existing(FOLDER):
        servers.remove()
    os.environ |= {
        "SEAMS_EMBEDDED": str(FOLDER),
        "SEAMS_EMBEDDED_DURABLE": "1",
        "PSP_DELAY_MS": str(PSP_DELAY_MS),
        "DJANGO_SETTINGS_MODULE": "monolith.settings",
    }
    django.setup()
