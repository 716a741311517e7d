"""``python -m bench``: latency and throughput, into bench/results.json and bench/report.md."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from bench.environment import QUICK_FOLDER, use_own_servers
from bench.errors import BenchError
from bench.report import profile_report, report
from django_seams.errors import SeamsError
from monolith.processes import ProcessError

_HERE = Path(__file__).parent
_RESULTS = "results.json"
_WIDTH = 140


def main() -> int:
    """Exit code 0 when everything was measured, whether or not the targets are met."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = _parser().parse_args()
    console = Console(stderr=True, highlight=False)
    try:
        use_own_servers()
        with _saying(console) as say:
            results, lines = _run(options, say)
    except KeyboardInterrupt:
        console.print("Interrupted; everything is stopped.")
        return 130
    except (BenchError, ProcessError, SeamsError) as error:
        console.print("[red]✗[/]", Text(str(error)))
        return 1
    if options.json:
        sys.stdout.write(json.dumps(results) + "\n")
    else:
        Console(width=_WIDTH).print(Markdown(lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rate", type=float, default=10.0, help="orders per second of the latency phase (10)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the latency phase takes (30)")
    parser.add_argument("--quick", action="store_true", help="see that it works; results go to .local/bench-quick")
    parser.add_argument("--profile", metavar="PROCESS", help="profile one process of deploy/Procfile instead")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser


def _run(options: argparse.Namespace, say: Callable[[str], None]) -> tuple[dict[str, Any], str]:
    """Measure or profile, and save; answers what to print, as JSON data and as Markdown."""
    from bench.phases import Plan, quick  # these need Django's settings, and those the servers' folder
    from bench.run import measured, profiled

    plan = Plan(rate=options.rate, seconds=options.seconds)
    plan = quick(plan) if options.quick else plan
    place = QUICK_FOLDER if options.quick else _HERE
    if not options.profile:
        results = measured(plan, say)
        _save(results, place)
        return results, report(results)
    profile = profiled(options.profile, plan, say)
    _add_profile(options.profile, profile, place)
    return profile, profile_report(options.profile, profile)


@contextmanager
def _saying(console: Console) -> Iterator[Callable[[str], None]]:
    """One line that says what is going on; redrawn twice a second, since its CPU time counts too."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as progress:
        task = progress.add_task("", total=None)
        yield lambda text: progress.update(task, description=text)


def _save(results: dict[str, Any], place: Path) -> None:
    place.mkdir(exist_ok=True)
    (place / _RESULTS).write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (place / "report.md").write_text(report(results))


def _add_profile(process: str, profile: dict[str, Any], place: Path) -> None:
    """To the results of the last run, if there are any."""
    if (place / _RESULTS).exists():
        results = json.loads((place / _RESULTS).read_text())
        results.setdefault("profiles", {})[process] = profile
        _save(results, place)


if __name__ == "__main__":
    sys.exit(main())
