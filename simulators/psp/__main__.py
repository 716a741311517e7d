"""python -m simulators.psp --port 8900 --ledger psp.jsonl"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TypeVar

from simulators.psp.errors import LedgerError, PspError
from simulators.psp.ledger import Ledger, open_ledger
from simulators.psp.messages import MAX_DELAY_MS
from simulators.psp.provider import SLOW_SECONDS, Provider
from simulators.psp.routes import Application
from simulators.psp.server import HOST, Server

_log = logging.getLogger("psp")

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(*, argv: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT: exit code 0. Exit code 1 when port or ledger cannot be used (any more)."""
    options = _parser().parse_args(argv)
    logging.basicConfig(format="psp: %(message)s", level=logging.INFO)
    # Blocked in every thread and taken by sigwait: no handler runs in the middle of something else.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        ledger = open_ledger(path=options.ledger)
        try:
            _serve(options, ledger)
        finally:
            ledger.close()
    except PspError as error:
        _log.error("%s", error)
        return 1
    return 0


def _serve(options: argparse.Namespace, ledger: Ledger) -> None:
    failures: list[LedgerError] = []

    def give_up(error: LedgerError) -> None:
        failures.append(error)
        os.kill(os.getpid(), signal.SIGTERM)

    provider = Provider(ledger=ledger, slow_seconds=options.slow_seconds)
    application = Application(provider=provider, delay_ms=options.delay_ms, on_fatal=give_up)
    try:
        server = Server(application=application, port=options.port)
    except OSError as error:
        raise PspError(f"Port {options.port} cannot be used: {error.strerror}. Choose another.") from error
    server.start()
    count = len(ledger.entries())
    _log.info("http://%s:%d is ready, %d entries in %s", HOST, server.port, count, options.ledger)
    signal.sigwait(_STOP_SIGNALS)
    server.stop()
    if failures:
        raise failures[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulators.psp",
        description="A simulated payment provider with a ledger of its own. Listens on 127.0.0.1 only.",
    )
    parser.add_argument("--port", type=_port, required=True, help="port to listen on; 0 chooses a free one")
    parser.add_argument("--ledger", type=Path, required=True, help="file of JSON lines, made if it is not there")
    parser.add_argument("--delay-ms", type=_delay_ms, default=0, help="wait this long before each answer")
    parser.add_argument(
        "--slow-seconds",
        type=_seconds,
        default=SLOW_SECONDS,
        help="how long tok_slow takes (default %(default)s)",
    )
    return parser


Number = TypeVar("Number", int, float)


def _port(text: str) -> int:
    return _within(int(text), low=0, high=65535)


def _delay_ms(text: str) -> int:
    return _within(int(text), low=0, high=MAX_DELAY_MS)


def _seconds(text: str) -> float:
    return _within(float(text), low=0.0, high=3600.0)


def _within(value: Number, *, low: Number, high: Number) -> Number:
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"give a number from {low} to {high}")
    return value


if __name__ == "__main__":
    sys.exit(main())
