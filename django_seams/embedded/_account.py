"""As whom PostgreSQL runs: it refuses root, so root starts it as a user without rights."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import Any

from .errors import EmbeddedError

CANDIDATES = ("nobody", "daemon")


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        """Return the options that make subprocess start a program as this user and nothing more."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def for_postgres() -> Account | None:
    """Return the user PostgreSQL has to run as, or None when it can run as we do."""
    if os.geteuid() != 0:
        _require_name(os.geteuid())
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedError(
        f"PostgreSQL cannot run as root and there is no user {' or '.join(CANDIDATES)} here: "
        "run this as an ordinary user, or set the *_DATABASE_URL of a server of your own"
    )


def _require_name(uid: int) -> None:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedError(
            f"user {uid} has no name on this machine and PostgreSQL's initdb refuses that: "
            "run as a user of /etc/passwd (in a container: drop --user, or add the user)"
        ) from None
