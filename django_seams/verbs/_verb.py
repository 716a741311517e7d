"""What a verb of ``manage.py seams`` is."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, Protocol, TextIO


class Console(Protocol):
    """Where a verb writes to, and the command's styles."""

    stdout: TextIO
    style: Any


class Verb(Protocol):
    """A module with these names; its docstring is the help text."""

    __doc__: str | None
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[..., None]
