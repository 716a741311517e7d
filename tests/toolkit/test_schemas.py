"""Committed schemas equal the code, and a view that asks for what is not there stops the start."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from django_seams import schemas
from django_seams.bus import subscribed
from django_seams.checks import check_seams
from django_seams.events import SENSITIVE, Event, View
from django_seams.schemas import misfits


class Line(View):
    sku: str
    quantity: int


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.fixture
def schema():
    from django_seams import events

    class PaintBought(Event, type="orders.paint_bought.v1", key="order_id"):
        """Paint was bought."""

        order_id: UUID
        lines: tuple[Line, ...]
        colour: Colour
        note: str | None = None
        card: Annotated[str, SENSITIVE]

    yield schemas.schema_of(PaintBought)
    events._declared.pop("orders.paint_bought.v1")


def view(**fields):
    return type("Wanted", (View,), {"__annotations__": fields})


class TestSchema:
    def test_says_what_matters_and_not_what_the_class_is_called(self, schema):
        assert schema["title"] == "orders.paint_bought.v1"
        assert schema["x-key"] == "order_id"
        assert schema["properties"]["card"]["x-sensitive"] is True
        assert "PaintBought" not in schemas.text_of(schema)


class TestMisfits:
    @pytest.mark.parametrize(
        "fields",
        [
            {"order_id": UUID},
            {"card": str},
            {"lines": tuple[Line, ...]},
            {"lines": list[view(sku=str)]},
            {"colour": Colour},
            {"colour": Literal["red", "blue", "green"]},
            {"colour": str},
            {"note": str | None},
            {},
        ],
    )
    def test_accepts_a_view_of_what_is_there(self, schema, fields):
        assert misfits(view(**fields), schema) == []

    @pytest.mark.parametrize(
        ("fields", "complaint"),
        [
            ({"price": int}, "price is not a field of the event"),
            ({"order_id": int}, "order_id is read as integer but the event gives string"),
            ({"card": UUID}, "card is read as uuid"),
            ({"lines": tuple[view(sku=str, price=int), ...]}, "lines[].price is not a field"),
            ({"lines": tuple[view(quantity=str), ...]}, "lines[].quantity is read as string"),
            ({"colour": Literal["red"]}, "colour is read as one of ['red']"),
            ({"note": str}, "note is read as string but the event gives null"),
        ],
    )
    def test_names_what_a_view_asks_for_in_vain(self, schema, fields, complaint):
        [misfit] = misfits(view(**fields), schema)
        assert complaint in misfit


class TestStartUpCheck:
    def test_is_content_with_this_project(self):
        assert check_seams(None) == []

    def test_names_the_handler_and_the_field_of_a_misfit(self):
        def wants(event: view(order_id=UUID, discount=int), envelope) -> None: ...

        with subscribed("orders.order_placed.v1", wants, module="payments"):
            [error] = check_seams(None)
        assert "payments.wants" in error.msg
        assert "discount is not a field" in error.msg

    def test_names_the_handler_of_an_unknown_event(self):
        def wants(event: view(order_id=UUID), envelope) -> None: ...

        with subscribed("orders.order_eaten.v1", wants, module="payments"):
            [error] = check_seams(None)
        assert "orders.order_eaten.v1 has no schema" in error.msg


class TestCommand:
    def test_check_is_content_with_what_is_committed(self, capsys):
        call_command("seams", "schemas", "check")

    def test_check_fails_on_an_edited_file_and_export_mends_it(self, settings, tmp_path, capsys):
        settings.SEAMS = settings.SEAMS | {"CONTRACTS": tmp_path}
        call_command("seams", "schemas", "export")
        edited = tmp_path / "events" / "orders.order_placed.v1.json"
        edited.write_text(edited.read_text().replace("total_minor", "total"))
        orphan = tmp_path / "events" / "orders.order_eaten.v1.json"
        orphan.write_text("{}")
        with pytest.raises(CommandError, match="2 event schemas differ"):
            call_command("seams", "schemas", "check")
        said = capsys.readouterr().out
        assert "orders.order_placed.v1.json differs from the code" in said
        assert "orders.order_eaten.v1: a schema is committed but no module declares" in said
        orphan.unlink()
        call_command("seams", "schemas", "export")
        call_command("seams", "schemas", "check")
