"""Run the relay of all sources, one thread each; start again what is lost, stop loudly what is wrong."""

import logging
import threading
from time import monotonic

import psycopg

from django_seams.errors import SeamsError
from django_seams.modules import module_aliases
from django_seams.relay._connections import relay_conninfo, slot_of
from django_seams.relay._source import Source, TargetBackError
from django_seams.relay.stream import SlotActiveError

logger = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_REMIND_EVERY = 30.0


class RelayError(SeamsError):
    """The relay stopped for at least one source; its log says why and what to do."""


def run_relay(stop: threading.Event) -> None:
    """Relay every module database's outbox until ``stop`` is set.

    A lost connection is opened again, an active slot is waited for. A mismatch or an undeclared
    event stops that source, is logged again every 30 s, and raises RelayError at the end.
    """
    stopped: dict[str, Exception] = {}
    threads = [
        threading.Thread(target=_relay, args=(alias, stop, stopped), name=f"relay-{alias}", daemon=True)
        for alias in module_aliases()
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(_REMIND_EVERY):
        for alias, error in stopped.items():
            logger.error("relay of %s still stopped: %s", alias, error)
    for thread in threads:
        thread.join(timeout=10)
    if stopped:
        raise RelayError("; ".join(f"{alias}: {error}" for alias, error in stopped.items()))


def _relay(alias: str, stop: threading.Event, stopped: dict[str, Exception]) -> None:
    standing_by, pause = False, _FIRST_PAUSE
    while not stop.is_set():
        began = monotonic()
        source = Source(alias, slot=slot_of(alias), targets=module_aliases(), conninfo=relay_conninfo)
        try:
            source.run(stop)
            return
        except SlotActiveError:
            if not standing_by:
                logger.info("%s: another relay has slot %s; standing by", alias, slot_of(alias))
            standing_by = True
        except (psycopg.Error, TargetBackError) as error:
            standing_by = False
            logger.warning("%s: %s; connecting again", alias, " ".join(str(error).split()))
            pause = _FIRST_PAUSE if monotonic() - began > _LONGEST_PAUSE else min(pause * 2, _LONGEST_PAUSE)
        except Exception as error:
            stopped[alias] = error
            logger.critical("relay of %s stopped: %s", alias, error, exc_info=not isinstance(error, SeamsError))
            return
        stop.wait(_FIRST_PAUSE if standing_by else pause)
