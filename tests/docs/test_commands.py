"""Commands: pages name only what exists, and the list of commands is complete with its options."""

import re
from argparse import ArgumentParser
from importlib import import_module

import pytest
from django.core.management import get_commands, load_command_class

from django_seams.management.commands.seams import VERBS
from tests.docs.pages import PAGES, ROOT, code, named, rows

PAGE = "docs/reference/commands.md"
SHOWN = [line for page in PAGES for line in code(page)]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):[^#=]*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def mentioned(pattern: str) -> set[str]:
    return {name for line in SHOWN for name in re.findall(pattern, line)}


def options(text: str) -> set[str]:
    return set(re.findall(r"--[a-z]+", text)) - {"--help"}


def row(first: str) -> list[str]:
    [found] = [cells for cells in rows(PAGE, "verb") + rows(PAGE, "command") if first in named(cells[0])]
    return found


class TestMake:
    def test_targets_that_are_named_exist(self):
        assert mentioned(r"\bmake ([a-z]+)\b") <= targets()

    def test_targets_are_all_listed(self):
        assert {named(cells[0])[0] for cells in rows(PAGE, "target")} == {f"make {name}" for name in targets()}


class TestSeams:
    def test_verbs_that_are_named_exist(self):
        assert mentioned(r"\bseams ([a-z]+)\b") <= set(VERBS)

    def test_verbs_are_all_listed(self):
        assert [named(cells[0])[0] for cells in rows(PAGE, "verb")] == [f"seams {verb}" for verb in VERBS]

    @pytest.mark.parametrize("verb", VERBS)
    def test_verbs_have_the_options_that_are_listed(self, verb):
        parser = ArgumentParser()
        import_module(f"django_seams.verbs.{verb}").add_arguments(parser)
        assert options(row(f"seams {verb}")[1]) == options(parser.format_help())


class TestManage:
    def test_commands_that_are_named_exist(self):
        assert mentioned(r"\bmanage\.py ([a-z_]+)\b") <= set(get_commands())

    @pytest.mark.parametrize("name", ["audit", "seed_demo"])
    def test_commands_have_the_options_that_are_listed(self, name):
        parser = ArgumentParser()
        load_command_class("monolith", name).add_arguments(parser)
        assert options(row(f"manage.py {name}")[1]) == options(parser.format_help())
