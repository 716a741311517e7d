"""Where PostgreSQL's files and sockets are kept, and making those places.

An ordinary user's data is in the folder. As root PostgreSQL runs as another user, who often cannot even
enter the folder; opening up the folders above it would open them to everybody, so root's data is kept in
a place of its own that needs no change to anything above.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import shutil
import stat
import tempfile
from pathlib import Path

from ._account import Account
from ._plan import Plan
from .errors import EmbeddedError

log = logging.getLogger(__name__)
ROOTS_PLACE = Path("/var/tmp")  # noqa: S108  owners are checked
TEMPORARY_PLACES = (tempfile.gettempdir(), "/tmp", "/var/tmp")  # noqa: S108  owners are checked
# A socket's path has a limit of about 100 bytes, and some readers of URLs turn host names to lower case.
SOCKETS = re.compile(r"[a-z0-9/_.-]{1,40}")


def choose_home(folder: Path) -> Path:
    """Return where PostgreSQL's files of this folder go; the same place every time."""
    if os.geteuid() != 0:
        return folder
    return ROOTS_PLACE / f"django-seams-{_mark(folder)}"


def choose_sockets(folder: Path) -> Path:
    """Return the folder of PostgreSQL's socket: the same every time, unless somebody else has made it."""
    if os.geteuid() == 0:
        return choose_home(folder) / "socket"
    for temporary in TEMPORARY_PLACES:
        if SOCKETS.fullmatch(temporary) and os.access(temporary, os.W_OK | os.X_OK):
            sockets = Path(temporary, f"seams-{os.geteuid()}-{_mark(folder)}")
            return sockets.with_name(f"{sockets.name}-{secrets.token_hex(4)}") if is_foreign(sockets) else sockets
    raise EmbeddedError("no temporary folder with a short name: set TMPDIR to one that you may write to")


def is_foreign(sockets: Path) -> bool:
    """Say whether somebody else has made a folder of that name, for instance after a clean-up took ours."""
    return sockets.exists() and os.geteuid() not in (0, sockets.lstat().st_uid)


def _mark(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def open_home(plan: Plan, account: Account | None) -> None:
    """Make or check the place of PostgreSQL's files; data of an earlier servers.json is set aside."""
    home = Path(plan.home)
    if account is not None:
        _own(home, uid=os.geteuid(), mode=0o711)  # to be passed through, not to be listed
        (home / "belongs-to.txt").write_text(plan.folder + "\n")
        plan.files.where.write_text(
            f"PostgreSQL does not run as root. It runs as {account.name} and keeps its files in\n\n"
            f"    {home}\n\n"
            f"To delete them too:  python -m django_seams.embedded remove '{plan.folder}'\n"
        )
    identity = home / "identity.txt"
    if plan.data.exists() and (not identity.exists() or identity.read_text() != plan.identity):
        old = plan.data.with_name("postgres.old")
        shutil.rmtree(old, ignore_errors=True)
        plan.data.rename(old)
        log.warning("%s was made for another servers.json; it is now %s", plan.data, old)
    identity.write_text(plan.identity)


def open_sockets(plan: Plan, account: Account | None) -> None:
    """Make the socket's folder anew if a clean-up of temporary files or a restart has taken it."""
    _own(Path(plan.sockets), uid=account.uid if account else os.geteuid(), mode=0o700)


def remove(plan: Plan) -> None:
    """Delete everything of these servers; they must have been stopped."""
    for place in (plan.sockets, plan.home, plan.folder):
        if Path(place).exists():
            shutil.rmtree(place)


def _own(place: Path, *, uid: int, mode: int) -> None:
    """Make a folder, or check that nobody else made it: its parent may be open to everybody."""
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
            raise EmbeddedError(f"{place} belongs to somebody else: remove it and try again") from None
    except FileNotFoundError as error:
        raise EmbeddedError(f"{place.parent} does not exist: create it and try again") from error
    if place.lstat().st_uid != uid:
        os.chown(place, uid, -1)
    if stat.S_IMODE(place.lstat().st_mode) != mode:
        place.chmod(mode)
