"""Where tests run: on an embedded cluster of their own, or on the servers that the environment names."""

import os
from pathlib import Path

import django

# before the settings are read: they decide by these
os.environ.setdefault("SEAMS_EMBEDDED", str(Path(__file__).parent / ".local" / "test"))
os.environ.setdefault("SEAMS_EMBEDDED_DURABLE", "0")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")
django.setup()

from django_seams.testing import *  # noqa: E402, F403  the toolkit's fixtures
