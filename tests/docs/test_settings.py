"""Settings: the page lists what the code reads, and gives each process what deploy/Procfile gives it."""

import re
from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings

from monolith.processes import procfile
from tests.docs.pages import ROOT, named, rows

PAGE = "docs/reference/settings.md"
_READERS = ("settings", "environment", "run", "processes")
_READ = re.compile(r'(?:environ\.get|env\.\w+|self\.bool|_is_set)\(\s*"([A-Z][A-Z_]+)"')
_PICKED_BY_THE_SHELL = {"PATH"}
_UNITS = {"": 1, "s": 1, "h": 3600, "KiB": 1024}


def documented() -> dict[str, list[str]]:
    return {named(cells[0])[0]: cells for cells in rows(PAGE, "setting")}


def read_by_the_code() -> set[str]:
    texts = [(ROOT / "monolith" / f"{name}.py").read_text() for name in _READERS]
    found = {name for text in texts for name in _READ.findall(text)}
    return found - _PICKED_BY_THE_SHELL | set(settings.DATABASE_VARIABLES.values())


class TestSettings:
    def test_on_the_page_are_those_that_the_code_reads(self):
        assert set(documented()) == read_by_the_code()

    def test_have_a_default_a_unit_and_somebody_who_needs_them(self):
        assert [name for name, cells in documented().items() if len(cells) != 5 or not all(cells)] == []

    def test_of_the_example_are_on_the_page(self):
        example = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        assert set(example) <= set(documented())

    def test_of_servers_are_all_in_the_example(self):
        example = (ROOT / ".env.example").read_text()
        servers = [name for name in documented() if name.endswith("_URL") or name.startswith("RELAY_")]
        assert [name for name in servers if f"\n{name}=" not in example] == []


class TestProcesses:
    def test_are_those_of_the_procfile(self):
        assert [named(cells[0])[0] for cells in rows(PAGE, "process")] == list(procfile())

    @pytest.mark.parametrize("process", procfile())
    def test_see_what_the_page_says(self, process):
        given = procfile()[process].partition(" -- ")[0].split()
        [cells] = [cells for cells in rows(PAGE, "process") if named(cells[0]) == [process]]
        assert named(cells[1]) == [name for name in given if name in documented()]


class TestValues:
    @pytest.mark.parametrize(("name", "value", "file"), rows(PAGE, "name"))
    def test_are_those_of_the_code(self, name, value, file):
        module = import_module(named(file)[0].removesuffix(".py").replace("/", "."))
        found = getattr(module, named(name)[0])
        number, _, unit = value.partition(" ")
        seconds = found.total_seconds() if isinstance(found, timedelta) else found
        assert seconds == int(number) * _UNITS[unit]

    @pytest.mark.parametrize(("key", "default"), [cells[:2] for cells in rows(PAGE, "key of `SEAMS`")])
    def test_of_retention_are_the_defaults_of_the_code(self, key, default):
        pruning = (ROOT / "django_seams" / "pruning.py").read_text()
        assert f'"{named(key)[0]}", {default})' in pruning
