"""Declare events and the views their consumers take of them. Free of Django.

An *event* is a past-tense fact, immutable and versioned. Its publisher declares it::

    class OrderPlaced(Event, type="orders.order_placed.v1", key="order_id"):
        order_id: UUID

A consumer never imports that class. It declares a :class:`View` of its own with just the fields
it needs, and subscribes by the event's type (see :mod:`django_seams.bus`).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from django_seams.errors import SeamsError

TYPE_PATTERN: Final = re.compile(r"(?P<module>[a-z][a-z0-9_]*)\.(?P<name>[a-z][a-z0-9_]*)\.v(?P<version>[1-9]\d*)")

SENSITIVE: Final[Any] = Field(repr=False, json_schema_extra={"x-sensitive": True})
"""``Annotated[str, SENSITIVE]``: never shown where people look, stored only by who asks for it."""

_declared: dict[str, type["Event"]] = {}


class EventDeclarationError(SeamsError):
    """An event is declared in a way that its consumers could not rely on."""


class Event(BaseModel):
    """A published fact; subclasses name their ``type`` and the field that is the lane's ``key``.

    ``external=True`` lets the relay put it on the wire to other deployables.
    """

    # What is published always holds every field, also those with a default; the schema says so.
    # Errors do not quote the input: it may hold what is sensitive, and their text is kept and logged.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
    )

    event_type: ClassVar[str]
    event_key: ClassVar[str]
    event_external: ClassVar[bool]

    def __init_subclass__(cls, *, type: str, key: str, external: bool = False) -> None:
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls._declare(**kwargs)

    @classmethod
    def _declare(cls, *, type: str, key: str, external: bool = False) -> None:
        if not TYPE_PATTERN.fullmatch(type):
            raise EventDeclarationError(f"{cls.__name__}: type {type!r} is not of the form module.past_tense.v1.")
        if key not in cls.model_fields:
            raise EventDeclarationError(f"{cls.__name__}: key {key!r} is not one of its fields.")
        known = _declared.get(type)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise EventDeclarationError(f"{type} is declared by {known!r} and again by {cls!r}; remove one.")
        cls.event_type, cls.event_key, cls.event_external = type, key, external
        _declared[type] = cls

    @property
    def subject(self) -> str:
        """The key of this event as text: the name of its lane."""
        return str(getattr(self, self.event_key))


class View(BaseModel):
    """A consumer's frozen view of somebody else's event: what it does not name, it does not see."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What is known about an event besides its body: the CloudEvents 1.0 context attributes.

    ``subject`` is the event's key; ``causation_id`` the event whose handling published this one.
    """

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    traceparent: str | None = None
    causation_id: UUID | None = None
    correlation_id: str | None = None


def declared_events() -> dict[str, type[Event]]:
    """The events declared by what has been imported so far, by type."""
    return dict(sorted(_declared.items()))


def module_of(event_type: str) -> str:
    """``orders`` of ``orders.order_placed.v1``: the type, never a database, names the module."""
    return event_type.partition(".")[0]


def sensitive_fields(model: type[BaseModel]) -> frozenset[str]:
    """The fields of an event or view that are declared sensitive."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-sensitive")
    )
