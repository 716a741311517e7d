"""The project's pages, taken apart: prose and fenced blocks, links, code spans, headings, tables."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")


def files() -> Iterator[Path]:
    """Every file of the project; what begins with a dot is the machine's."""
    for folder, names, found in os.walk(ROOT):
        names[:] = [name for name in names if not name.startswith((".", "__"))]
        yield from (Path(folder) / name for name in found)


PAGES = sorted(path for path in files() if path.suffix == ".md")


def text(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str | Path) -> str:
    return _FENCE.sub("", text(page))


def fences(page: str | Path, language: str) -> list[str]:
    return [body for _, found, body in _FENCE.findall(text(page)) if found == language]


def links(page: str | Path) -> list[str]:
    """Targets of links to files of this project."""
    return [target for target in _LINK.findall(prose(page)) if "://" not in target]


def spans(page: str | Path) -> list[str]:
    return _SPAN.findall(prose(page))


def code(page: str | Path) -> list[str]:
    """What is shown as code: spans, and the lines of fenced blocks that are no output."""
    return spans(page) + [line for body in fences(page, "") for line in body.splitlines()]


def anchors(page: str | Path) -> set[str]:
    """Where a link may point to on a page: its headings, as code hosts name them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows(page: str | Path, first: str) -> list[list[str]]:
    """The cells of all tables on a page whose first column is headed ``first``."""
    found, inside = [], False
    for line in prose(page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0] == first:
            inside = True
        elif inside and set(cells[0]) - set("-: "):
            found.append(cells)
    return found


def named(cell: str) -> list[str]:
    """The code spans of a table's cell."""
    return _SPAN.findall(cell)
