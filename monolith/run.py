"""``make run``: everything in the foreground until Ctrl-C, servers included."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django

_PORT = 8000

_HELP = """
  API     {url}/api/v1/
  Admin   {url}/admin/     make a login with: .venv/bin/python manage.py createsuperuser
  Token   {token}
          .venv/bin/python manage.py seed_demo prints it again
  Order   curl -s {url}/api/v1/orders -H 'Authorization: Bearer {token}' \\
            -H "Idempotency-Key: $(date +%s%N)" -H 'Content-Type: application/json' \\
            -d '{{"lines": [{{"sku": "cup", "quantity": 1}}], "payment_token": "tok_ok", "currency": "EUR"}}'
  Audit   .venv/bin/python manage.py audit
  Ctrl-C stops all of it.
"""


def main() -> int:
    """Start, provision, run until Ctrl-C. Answers the exit code: 0 when it was stopped by hand."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    django.setup()
    from monolith.processes import is_port_taken

    port = int(os.environ.get("PORT") or _PORT)
    if is_port_taken(port):
        _say(f"Port {port} is taken; stop what listens there, or choose another: PORT=8001 make run")
        return 1
    try:
        with _servers():
            return _run(port)
    except KeyboardInterrupt:
        return 0


@contextmanager
def _servers() -> Iterator[None]:
    """The embedded servers, running; nothing where the environment names others."""
    from django.conf import settings

    if settings.EMBEDDED is None:
        yield
        return
    _say(f"Starting PostgreSQL, Redis and the payment provider in {settings.EMBEDDED.folder}")
    try:
        settings.EMBEDDED.start()
        yield
    finally:
        settings.EMBEDDED.stop()
        _say("All stopped.")


def _run(port: int) -> int:
    from django.conf import settings
    from honcho.manager import Manager

    from monolith.processes import environ_of_processes, procfile

    environ = environ_of_processes(port=port)
    if settings.SEAMS["PROVISION_DATABASE_URL"]:
        _say("Provisioning databases, roles and slots")
        if code := _manage("seams", "provision", environ=environ, stdout=subprocess.DEVNULL):
            return code
    manager = Manager()
    for name, command in procfile().items():
        manager.add_process(name, command, env=environ, cwd=str(settings.BASE_DIR))
    threading.Thread(target=_introduce, args=(f"http://127.0.0.1:{port}", environ), daemon=True).start()
    manager.loop()
    return 0 if manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM) else int(manager.returncode or 0)


def _introduce(url: str, environ: dict[str, str]) -> None:
    """Once all is up: products and a customer to try it with, and where everything is."""
    from monolith.processes import ProcessError, wait_until_ready

    try:
        wait_until_ready(url, timeout=60)
    except ProcessError as error:
        _say(str(error))
        return
    if _manage("seed_demo", environ=environ, stdout=subprocess.DEVNULL) == 0:
        from monolith.accounts.tokens import demo_token

        _say(_HELP.format(url=url, token=demo_token()))


def _manage(*arguments: str, environ: dict[str, str], **options: Any) -> int:
    return subprocess.run([sys.executable, "manage.py", *arguments], env=environ, **options).returncode


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
