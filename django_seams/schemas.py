"""Event schemas: what publishers promise, as JSON Schema files in ``contracts/events/``.

The files are generated from the declared events and committed; the code must always equal them.
"""

import json
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from pydantic import BaseModel

from django_seams.errors import SeamsError
from django_seams.events import Event, declared_events

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


class MissingSchemaError(SeamsError):
    """An event has no committed schema; run `manage.py seams schemas export` and commit the file."""


def folder() -> Path:
    """Where the committed schemas are: ``SEAMS["CONTRACTS"]/events``."""
    return Path(settings.SEAMS["CONTRACTS"]) / "events"


def schema_of(event: type[Event]) -> Schema:
    """The JSON Schema of an event's body. The Python class's name and place do not show in it."""
    schema = event.model_json_schema(mode="serialization")
    schema["title"] = event.event_type
    schema["x-key"] = event.event_key
    schema["x-external"] = event.event_external
    return {"$schema": _DIALECT} | schema


def text_of(schema: Schema) -> str:
    """The bytes that are committed: sorted, so that equal schemas are equal files."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def committed(event_type: str) -> Schema:
    """The committed schema of an event type. Raises MissingSchemaError."""
    path = folder() / f"{event_type}.json"
    try:
        return cast(Schema, json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise MissingSchemaError(
            f"{event_type} has no schema at {path.name}; declare the event in its module's events.py "
            "and run `manage.py seams schemas export`."
        ) from None


def export() -> list[Path]:
    """Write the schema of every declared event; answers the files that changed."""
    folder().mkdir(parents=True, exist_ok=True)
    changed = []
    for event_type, event in declared_events().items():
        path, text = folder() / f"{event_type}.json", text_of(schema_of(event))
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def drift() -> list[str]:
    """What differs between the declared events and the committed files, a sentence each."""
    declared = declared_events()
    findings = []
    for event_type, event in declared.items():
        path = folder() / f"{event_type}.json"
        if not path.exists():
            findings.append(f"{event_type}: no schema is committed; run `manage.py seams schemas export`.")
        elif path.read_text(encoding="utf-8") != text_of(schema_of(event)):
            findings.append(f"{event_type}: {path.name} differs from the code; export it, or give it a new version.")
    known = set(declared)
    orphans = sorted(path.stem for path in folder().glob("*.json") if path.stem not in known)
    return findings + [f"{orphan}: a schema is committed but no module declares this event." for orphan in orphans]


def misfits(view: type[BaseModel], event_schema: Schema) -> list[str]:
    """What a consumer's view asks for that an event of this schema would not give it."""
    asked = view.model_json_schema(mode="validation")
    return _object_misfits(asked, event_schema, _Documents(asked, event_schema), at="")


class _Documents:
    """Resolves ``$ref`` on either side of a comparison."""

    def __init__(self, view: Schema, event: Schema) -> None:
        self.view, self.event = view, event

    def both(self, asked: Schema, given: Schema) -> tuple[Schema, Schema]:
        return _resolved(asked, self.view), _resolved(given, self.event)


def _resolved(schema: Schema, document: Schema) -> Schema:
    reference = schema.get("$ref")
    return document["$defs"][reference.rpartition("/")[2]] if reference else schema


def _object_misfits(asked: Schema, given: Schema, documents: _Documents, at: str) -> list[str]:
    findings = []
    required, offered = set(asked.get("required", [])), given.get("properties", {})
    for name, field in asked.get("properties", {}).items():
        path = f"{at}{name}"
        if name not in offered:
            findings += [f"{path} is not a field of the event"] if name in required else []
        elif name in required and name not in given.get("required", []):
            findings.append(f"{path} is optional in the event but required by the view")
        else:
            findings += _value_misfits(field, offered[name], documents, path)
    return findings


def _value_misfits(asked: Schema, given: Schema, documents: _Documents, at: str) -> list[str]:
    asked, given = documents.both(asked, given)
    if "anyOf" in given:
        return [misfit for option in given["anyOf"] for misfit in _value_misfits(asked, option, documents, at)]
    if "anyOf" in asked:
        attempts = [_value_misfits(option, given, documents, at) for option in asked["anyOf"]]
        return [] if any(not attempt for attempt in attempts) else attempts[0]
    if asked.get("type") == "object" and "properties" in asked:
        return _object_misfits(asked, given, documents, f"{at}.")
    if asked.get("type") == "array":
        return _value_misfits(asked.get("items", {}), given.get("items", {}), documents, f"{at}[]")
    return _scalar_misfits(asked, given, at)


def _scalar_misfits(asked: Schema, given: Schema, at: str) -> list[str]:
    for keyword in ("type", "format"):
        if asked.get(keyword) is not None and asked[keyword] != given.get(keyword):
            return [f"{at} is read as {asked[keyword]} but the event gives {given.get(keyword, 'something else')}"]
    known = _values(asked)
    if known is not None and not known >= (_values(given) or {"any value"}):
        return [f"{at} is read as one of {sorted(map(str, known))} but the event may give others"]
    return []


def _values(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None
