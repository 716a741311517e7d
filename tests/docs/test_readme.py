"""The front page shows the folders that there are, in the order of the architecture."""

import configparser

from tests.docs.pages import ROOT, fences, named, rows, text


def folders() -> list[str]:
    [*cells] = (named(cells[0])[0] for cells in rows("README.md", "folder"))
    return [cell.rstrip("/") for cell in cells]


def root_packages() -> list[str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "importlinter.cfg")
    return config["importlinter"]["root_packages"].split()


class TestFolders:
    def test_are_all_in_the_table(self):
        there = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}
        assert set(folders()) == there - {"build"}

    def test_come_in_the_order_of_the_import_contracts(self):
        packages = root_packages()
        assert folders()[: len(packages)] == packages


class TestReadme:
    def test_can_be_read_in_one_sitting(self):
        assert len(text("README.md").splitlines()) <= 150

    def test_has_a_picture(self):
        assert len(fences("README.md", "mermaid")) == 1
