"""Profiles the process whose command line ends in, or contains, SEAMS_BENCH_PROFILE.

Python imports a module of this name at its start when it is found on PYTHONPATH. Each thread gets
a profile of its own, on the thread's own CPU clock, so that waiting costs nothing. What happened
before the file SEAMS_BENCH_PROFILE_INTO/begin appears is forgotten; the rest is written when the
file `end` appears beside it, since a process may be killed before it can do so at its own end.
Knows nothing of the system.
"""

import cProfile
import json
import os
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

_profiles: list[cProfile.Profile] = []


def _profile_this_thread(frame: FrameType | None = None, event: str = "", argument: Any = None) -> None:
    """As the profile function of a new thread: at its first event, a real profile takes over."""
    sys.setprofile(None)
    profile = cProfile.Profile(timer=time.thread_time)
    _profiles.append(profile)
    profile.enable()


def _watch(folder: Path) -> None:
    _await_file(folder / "begin")
    for profile in list(_profiles):
        profile.clear()
    _await_file(folder / "end")
    _write(folder)


def _await_file(path: Path) -> None:
    while not path.exists():
        time.sleep(0.2)


def _start_watching() -> None:
    """In a thread, which a fork does not take along."""
    folder = Path(os.environ["SEAMS_BENCH_PROFILE_INTO"])
    threading.Thread(target=_watch, args=(folder,), daemon=True).start()


def _write(folder: Path) -> None:
    """Rows of path, line, name, calls, own and total seconds, one file for each thread.

    Not Profile.dump_stats: it would stop clocks that are not this thread's.
    """
    for number, profile in enumerate(list(_profiles)):
        profile.snapshot_stats()
        rows = [[*function, calls, own, total] for function, (_, calls, own, total, _) in profile.stats.items()]
        (folder / f"{os.getpid()}-{number}.json").write_text(json.dumps(rows))


wanted = os.environ.get("SEAMS_BENCH_PROFILE", "")
if wanted and wanted in " ".join(sys.orig_argv):
    os.register_at_fork(after_in_child=_start_watching)
    _start_watching()
    threading.setprofile(_profile_this_thread)
    _profile_this_thread()
