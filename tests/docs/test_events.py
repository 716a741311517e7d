"""Events: the page's tables are what the code declares and subscribes to."""

from django_seams.bus import subscriptions
from django_seams.events import declared_events
from tests.docs.pages import named, rows

PAGE = "docs/reference/events.md"


def listed_handlers() -> dict[str, list[str]]:
    """Event type → its handlers, as the page has them."""
    return {named(cells[0])[0]: cells[3].split(", ") for cells in rows(PAGE, "type")}


def subscribed_handlers(event_type: str) -> list[str]:
    wishes = [wish for wish in subscriptions() if wish.event_type == event_type]
    return [f"`{wish.handler}`" + (" (compensates)" if wish.compensates else "") for wish in wishes]


class TestEvents:
    def test_are_listed_with_their_keys(self):
        listed = {named(cells[0])[0]: named(cells[1])[0] for cells in rows(PAGE, "type")}
        assert listed == {name: event.event_key for name, event in declared_events().items()}

    def test_are_listed_with_their_handlers(self):
        assert listed_handlers() == {name: subscribed_handlers(name) for name in declared_events()}

    def test_have_handlers_that_are_described(self):
        described = {named(cells[0])[0] for cells in rows(PAGE, "handler")}
        assert described == {wish.handler for wish in subscriptions()}
