"""The event bus: which handler takes which event. Durability is the outbox's and the inbox's.

A handler subscribes by the event's name and takes the consumer's own view of it::

    class OrderPlaced(View):
        order_id: UUID

    @subscribe("orders.order_placed.v1")
    def want_capture(event: OrderPlaced, envelope: Envelope) -> None: ...

It runs inside a transaction on its module's database, only writes and publishes there, and takes
events in any order of arrival across sources, since order holds for one key of one source only.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, get_type_hints

from django_seams.errors import SeamsError
from django_seams.events import TYPE_PATTERN, Envelope, View
from django_seams.modules import module_of_code

Handler = Callable[[Any, Envelope], None]

_MAX_HANDLER_NAME = 63  # "<handler>:<event id>" must fit the 100 characters of received.msg_id

_subscriptions: dict[str, "Subscription"] = {}
_current: ContextVar[Envelope | None] = ContextVar("seams_current_envelope", default=None)


class SubscriptionError(SeamsError):
    """A subscription is declared in a way that could not be delivered to."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One handler's wish for one event type. ``handler`` is unique: ``<module>.<function>``."""

    event_type: str
    module: str
    handler: str
    view: type[View]
    compensates: bool
    call: Handler

    @property
    def fields(self) -> list[str]:
        """The body's fields that the view asks for; the inbox stores no others."""
        return sorted(field.alias or name for name, field in self.view.model_fields.items())


def subscribe(event_type: str, *, compensates: bool = False, module: str | None = None) -> Callable[[Handler], Handler]:
    """Register a function as handler of ``event_type``.

    ``compensates`` marks what undoes earlier work: it may pass a parked head of its lane.
    ``module`` is found from where the function is defined. Raises SubscriptionError.
    """

    def register(call: Handler) -> Handler:
        subscription = _subscription(event_type, call, compensates=compensates, module=module)
        known = _subscriptions.get(subscription.handler)
        if known is not None and known.call.__module__ != call.__module__:
            raise SubscriptionError(f"Two handlers are called {subscription.handler}; rename one.")
        _subscriptions[subscription.handler] = subscription
        return call

    return register


def _subscription(event_type: str, call: Handler, *, compensates: bool, module: str | None) -> Subscription:
    name = getattr(call, "__name__", repr(call))
    owner = module or getattr(module_of_code(call.__module__), "name", None)
    if owner is None:
        raise SubscriptionError(f"{call.__module__}.{name} lies in no declared module; see [tool.seams.modules].")
    if not TYPE_PATTERN.fullmatch(event_type):
        raise SubscriptionError(f"{name} subscribes to {event_type!r}, which is not of the form module.past_tense.v1.")
    handler = f"{owner}.{name}"
    if len(handler) > _MAX_HANDLER_NAME:
        raise SubscriptionError(
            f"{handler} is longer than {_MAX_HANDLER_NAME} characters; shorten the function's name."
        )
    return Subscription(
        event_type=event_type,
        module=owner,
        handler=handler,
        view=_view_of(call),
        compensates=compensates,
        call=call,
    )


def _view_of(call: Handler) -> type[View]:
    parameters = list(inspect.signature(call).parameters)
    view = get_type_hints(call).get(parameters[0]) if parameters else None
    if len(parameters) != 2 or not (isinstance(view, type) and issubclass(view, View)):
        raise SubscriptionError(
            f"{call.__module__}.{call.__qualname__} must take (event: <a View>, envelope: Envelope)."
        )
    return view


def subscriptions() -> list[Subscription]:
    """All subscriptions of what has been imported, sorted by handler."""
    return [_subscriptions[name] for name in sorted(_subscriptions)]


def handlers_of(module: str) -> dict[str, Subscription]:
    """The subscriptions of one module, by handler."""
    return {name: wish for name, wish in _subscriptions.items() if wish.module == module}


def current_envelope() -> Envelope | None:
    """The event that is being handled here, if any: the cause of what is published now."""
    return _current.get()


@contextmanager
def handling(envelope: Envelope) -> Iterator[None]:
    """Make ``envelope`` the cause of every event published inside."""
    token = _current.set(envelope)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def subscribed(event_type: str, call: Handler, *, module: str, compensates: bool = False) -> Iterator[Subscription]:
    """A subscription for the length of a test; one of the same name steps aside meanwhile."""
    subscription = _subscription(event_type, call, compensates=compensates, module=module)
    before = dict(_subscriptions)
    _subscriptions[subscription.handler] = subscription
    try:
        yield subscription
    finally:
        _subscriptions.clear()
        _subscriptions.update(before)
