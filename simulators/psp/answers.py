"""What goes back over the wire: JSON, or a problem document (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import NamedTuple

from simulators.psp.errors import PspError


class Answer(NamedTuple):
    """A response before it is bytes; `headers` are whole lines, each with its line end."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: str = ""


class ProblemError(PspError):
    """The request cannot be answered as asked; becomes a problem document with this status."""

    def __init__(
        self, *, status: int, kind: str, detail: str, errors: dict[str, str] | None = None, headers: str = ""
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = errors or {}
        self.headers = headers


def json_answer(*, status: int, content: object) -> Answer:
    """`content` as JSON."""
    return Answer(status, json.dumps(content, separators=(",", ":")).encode())


def problem_answer(*, problem: ProblemError) -> Answer:
    """The problem document: type, title, status, detail, and `errors` with a field and a detail each."""
    document: dict[str, object] = {
        "type": f"urn:psp:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        document["errors"] = [{"field": field, "detail": detail} for field, detail in problem.errors.items()]
    return Answer(problem.status, json.dumps(document).encode(), "application/problem+json", problem.headers)
