"""The import contracts are kept, and each of them turns red on a scratch copy where it is broken."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from django_seams.modules import load_modules

ROOT = Path(__file__).parents[2]
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "importlinter.cfg")
ROOT_PACKAGES = set(CONFIG["importlinter"]["root_packages"].split())
CONTRACTS = {section.rpartition(":")[2] for section in CONFIG.sections() if ":contract:" in section}

# contract → (file, line appended to it that breaks this contract)
BREACHES = {
    "layers": ("django_seams/errors.py", "import monolith.urls"),
    "independence": ("modules/orders/services.py", "import modules.payments.api"),
    "doors": ("monolith/urls.py", "import modules.orders.models"),
    "purity": ("modules/orders/events.py", "from django_seams import modules"),
    "floor": ("modules/inventory/queries.py", "import psycopg"),
    "toolkit": ("django_seams/modules.py", "import rest_framework"),
    "outside": ("simulators/psp/records.py", "import django_seams.errors"),
    "no-simulation": ("monolith/urls.py", "import simulators.psp.records"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--config", "importlinter.cfg", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )


def broken(output: str) -> set[str]:
    """The ids of the contracts that a run calls broken; long names are wrapped over two lines."""
    said = " ".join(output.split())
    names = {section.rpartition(":")[2]: CONFIG[section]["name"] for section in CONFIG.sections() if ":c" in section}
    return {contract for contract, name in names.items() if f"{name} BROKEN" in said or f"{name}BROKEN" in said}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all Python code and the contracts."""
    folder = tmp_path_factory.mktemp("scratch") / "copy"
    folder.mkdir()
    for package in ROOT_PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "importlinter.cfg", folder)
    return folder


class TestContracts:
    def test_are_all_kept(self, scratch: Path) -> None:
        run = lint(scratch)
        assert run.returncode == 0, run.stdout + run.stderr
        assert f"{len(CONTRACTS)} kept, 0 broken" in run.stdout

    def test_have_a_breach_each(self) -> None:
        assert set(BREACHES) == CONTRACTS

    @pytest.mark.parametrize("contract", BREACHES)
    def test_turn_red_when_broken(self, scratch: Path, contract: str) -> None:
        path, line = BREACHES[contract]
        original = (scratch / path).read_text()
        (scratch / path).write_text(f"{original}\n{line}\n")
        try:
            run = lint(scratch)
        finally:
            (scratch / path).write_text(original)
        assert run.returncode == 1, run.stdout + run.stderr
        assert contract in broken(run.stdout)

    @pytest.mark.parametrize("name", ["types", "events"])
    def test_forbid_django_in_what_crosses_a_door(self, scratch: Path, name: str) -> None:
        path = scratch / f"modules/inventory/{name}.py"
        original = path.read_text()
        path.write_text(f"{original}\nfrom django.db import models\n")
        try:
            run = lint(scratch)
        finally:
            path.write_text(original)
        assert broken(run.stdout) == {"purity"}

    def test_excuse_no_import_between_modules(self) -> None:
        for contract in ("layers", "independence", "purity"):
            assert "ignore_imports" not in CONFIG[f"importlinter:contract:{contract}"]


class TestFolders:
    def test_are_all_root_packages(self) -> None:
        assert {folder.name for folder in folders_with_code(ROOT)} == ROOT_PACKAGES

    def test_of_modules_are_all_declared(self) -> None:
        declared = {module.path for module in load_modules(ROOT / "pyproject.toml").values()}
        assert {f"modules/{folder.name}" for folder in folders_with_code(ROOT / "modules")} == declared

    def test_with_code_are_packages_since_others_are_invisible_to_the_linter(self) -> None:
        folders = {file.parent for package in ROOT_PACKAGES for file in (ROOT / package).rglob("*.py")}
        assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()] == []


def folders_with_code(parent: Path) -> list[Path]:
    folders = [path for path in parent.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    return [folder for folder in folders if next(folder.rglob("*.py"), None)]
