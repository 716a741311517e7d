"""The demo, step by step."""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import cast

from django.conf import settings
from django.core.management import call_command
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from django_seams.embedded import Servers
from django_seams.provision import provision
from monolith.accounts.tokens import demo_token
from monolith.audit import Facts, Violation, report
from monolith.demo import show
from monolith.demo.shop import Shop, ShopError
from monolith.demo.wishes import LOST, Wish, all_wishes, wrong_ends
from monolith.facts import settled_facts
from monolith.processes import ProcessError, Processes, environ_of_processes, free_port, wait_until_ready

VICTIMS = ("relay", "worker-orders")
PATIENCE = 60.0  # seconds for all orders to end; they need less than ten

Placed = list[tuple[str, Wish]]  # order id and what was wished
Ends = list[tuple[Wish, str, str | None]]  # wish, status, reason


def tell(console: Console) -> list[str]:
    """Run the demo; answers what was not as it should be."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(SpinnerColumn(), *columns, console=console, transient=True) as progress:
        try:
            with _system(progress) as (processes, shop):
                placed = _place_and_kill(progress, processes, shop)
                return [*_judge(console, shop, placed, _await_ends(progress, processes, shop, placed))]
        except (ProcessError, ShopError) as error:
            return [str(error)]


@contextmanager
def _system(progress: Progress) -> Iterator[tuple[Processes, Shop]]:
    """Servers, databases and every process of the Procfile; all stopped at the end."""
    port, step = free_port(), progress.add_task("PostgreSQL, Redis, payment provider", total=4)
    url = f"http://127.0.0.1:{port}"
    servers = cast(Servers, settings.EMBEDDED)  # the demo has its own, always
    processes = Processes(environ=environ_of_processes(port=port), logs=servers.folder / "logs")
    try:
        servers.start()
        progress.update(step, advance=1, description="roles, databases, migrations, slots")
        provision()
        progress.update(step, advance=1, description="web, relay, workers, celery")
        processes.start()
        wait_until_ready(url, timeout=PATIENCE, check=processes.check)
        progress.update(step, advance=1, description="products and a customer")
        call_command("seed_demo", stdout=io.StringIO())
        progress.update(step, advance=1, visible=False)
        progress.console.print(f"Started {', '.join(processes.names)}")
        yield processes, Shop(url=url, token=demo_token())
    finally:
        progress.add_task("stopping everything", total=None)
        processes.stop()
        servers.stop()


def _place_and_kill(progress: Progress, processes: Processes, shop: Shop) -> Placed:
    """Half of the orders, then two processes are killed, the other half, then both come back."""
    wishes = all_wishes()
    middle = len(wishes) // 2
    placed = _place(progress, shop, wishes[:middle])
    for name in VICTIMS:
        progress.console.print(f"[red]SIGKILL[/] {name} (process {processes.kill(name)})")
    placed += _place(progress, shop, wishes[middle:])
    processes.start(VICTIMS)
    progress.console.print(f"Started {' and '.join(VICTIMS)} again")
    return placed


def _place(progress: Progress, shop: Shop, wishes: list[Wish]) -> Placed:
    with ThreadPoolExecutor(max_workers=8) as customers:
        orders = list(customers.map(shop.place, wishes))
    progress.console.print(f"Placed {len(orders)} orders in parallel")
    return list(zip(orders, wishes, strict=True))


def _await_ends(progress: Progress, processes: Processes, shop: Shop, placed: Placed) -> Ends:
    """Wait until every order is confirmed or cancelled, and return how each ended."""
    deadline = time.monotonic() + PATIENCE
    step = progress.add_task("orders at their end", total=len(placed))
    while True:
        processes.check()
        orders = [shop.order(order_id) for order_id, _ in placed]
        ended = sum(order["status"] in ("confirmed", "cancelled") for order in orders)
        progress.update(step, completed=ended)
        if ended == len(placed) or time.monotonic() > deadline:
            break
        time.sleep(0.25)
    progress.update(step, visible=False)
    return [(wish, order["status"], order["reason"]) for (_, wish), order in zip(placed, orders, strict=True)]


def _judge(console: Console, shop: Shop, placed: Placed, ends: Ends) -> Iterator[str]:
    console.print(show.outcomes(ends))
    yield from wrong_ends(ends)
    order_id, wish = next((order_id, wish) for order_id, wish in placed if wish.story == LOST)
    answer = shop.cancel(order_id)
    console.print(f"Cancelling a confirmed order answers {answer.status_code}: {answer.json().get('detail')}")
    if answer.status_code != 409:
        yield f"cancelling a confirmed order answered {answer.status_code} instead of 409"
    console.print(show.timeline(order_id, wish.story, shop.timeline(order_id)))
    facts, violations = _settled()
    result = report(facts, violations)
    show.audit(console, result)
    yield from (f"audit: {violation.rule}: {violation.detail}" for violation in violations)
    if result["refund_due"] or result["dead_letters"]:
        yield f"{result['refund_due']} refunds are still due, {result['dead_letters']} dead letters"


def _settled() -> tuple[Facts, list[Violation]]:
    """The audit, once the last refund is through: the provider's slow answers may still be on their way."""
    deadline = time.monotonic() + PATIENCE / 2
    while True:
        facts, violations = settled_facts(seconds=10)
        if violations or not report(facts, violations)["refund_due"] or time.monotonic() > deadline:
            return facts, violations
        time.sleep(0.5)
