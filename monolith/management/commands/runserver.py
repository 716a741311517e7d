"""``manage.py runserver``: Django's, with servers, relay and workers, so that it is a working system alone."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands.runserver import Command as RunserverCommand
from django.core.management.base import CommandError
from django.db import connections
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV

from django_seams.embedded import EmbeddedError
from django_seams.modules import declared_modules, is_configured
from django_seams.provision import provision
from django_seams.relay import run_relay
from django_seams.worker import run_worker
from monolith import health
from monolith.processes import is_port_taken

logger = logging.getLogger(__name__)


class Command(RunserverCommand):
    help = "Start the web server with relay and workers in threads; with nothing configured also PostgreSQL and Redis."
    addr: str  # both are set by Django before run()
    port: str

    def run(self, **options: Any) -> None:
        """In the reloader's parent: the servers, which outlive reloads. In its child: the rest."""
        if os.environ.get(DJANGO_AUTORELOAD_ENV) == "true":
            super().run(**options)
            return
        if is_port_taken(int(self.port), host=self.addr):
            raise CommandError(f"Port {self.port} is taken; give another: manage.py runserver 8001")
        if settings.EMBEDDED is None:
            _require_databases()
        with _embedded_servers():
            super().run(**options)

    def check_migrations(self) -> None:
        """Embedded servers are provisioned here; of others it is said what they lack."""
        if settings.EMBEDDED is not None:
            for title in provision():
                self.stdout.write(f"provisioned: {title}")
            return
        for alias in settings.DATABASES:
            for lack in health.database_lacks(alias):
                self.stdout.write(self.style.NOTICE(f"{alias}: {lack}"))

    def on_bind(self, server_port: int) -> None:
        """The port is ours, so this is the process that serves: never the reloader's parent."""
        super().on_bind(server_port)
        stop = threading.Event()  # never set: daemon threads end with the process, at every reload
        _in_thread("relay", partial(run_relay, stop))
        for module in declared_modules():
            _in_thread(f"worker-{module}", partial(run_worker, module, stop))
        self.stdout.write("Relay and workers run in threads. Products and a customer: python manage.py seed_demo")


def _require_databases() -> None:
    """Raise OperationalError where one does not answer: here it ends the command, in a reloaded child it would not."""
    for alias in filter(is_configured, settings.DATABASES):
        connections[alias].ensure_connection()
        connections[alias].close()


@contextmanager
def _embedded_servers() -> Iterator[None]:
    """Running servers; those that were started here are stopped at the end."""
    servers = settings.EMBEDDED
    if servers is None or servers.is_running():
        yield
        return
    try:
        servers.start()
    except EmbeddedError as error:
        raise CommandError(str(error)) from error
    try:
        yield
    finally:
        servers.stop()


def _in_thread(name: str, call: Callable[[], None]) -> None:
    def logged() -> None:
        try:
            call()
        except Exception:
            logger.exception("%s stopped; correct the cause, and save any file to start it again", name)

    threading.Thread(target=logged, name=name, daemon=True).start()
