"""HTTP/1.1 (RFC 9112), as much of it as a JSON API needs.

The standard library's handler parses headers as e-mail, which costs more than all the rest of a request.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import BinaryIO, NamedTuple

from simulators.psp.answers import Answer, ProblemError

MAX_LINE_BYTES = 8 * 1024
MAX_HEADERS = 64
MAX_BODY_BYTES = 64 * 1024


class Request(NamedTuple):
    """A request as read; header names are lower case, repeated ones joined by a comma (RFC 9110, 5.3)."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


def read_request(*, reader: BinaryIO) -> Request | None:
    """The next request, or None at the end of the connection.

    Raises ProblemError when it cannot be understood; the rest of the connection is useless then.
    """
    line = reader.readline(MAX_LINE_BYTES + 1)
    if line == b"\r\n":  # "a server SHOULD ignore at least one empty line" (RFC 9112, 2.2)
        line = reader.readline(MAX_LINE_BYTES + 1)
    if not line:
        return None
    method, target, version = _request_line(line)
    headers = _headers(reader)
    body = _body(reader, headers)
    if body is None:
        return None
    path, _, query = target.partition("?")
    wish = headers.get("connection", "").lower()
    keep_alive = "close" not in wish if version == "HTTP/1.1" else "keep-alive" in wish
    return Request(method, path, query, headers, body, keep_alive)


def response_bytes(*, answer: Answer, keep_alive: bool, has_body: bool = True) -> bytes:
    """The response as it goes out, in one piece."""
    head = (
        f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        f"{answer.headers}"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    )
    return head.encode("latin-1") + (answer.body if has_body else b"")


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def _request_line(line: bytes) -> tuple[str, str, str]:
    if len(line) > MAX_LINE_BYTES:
        raise ProblemError(status=414, kind="uri-too-long", detail=f"Stay under {MAX_LINE_BYTES} bytes.")
    parts = line.decode("latin-1").rstrip("\r\n").split(" ")
    if len(parts) != 3 or not line.endswith(b"\n") or not parts[1].startswith("/"):
        raise ProblemError(status=400, kind="malformed", detail="Start with METHOD /path HTTP/1.1.")
    if parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise ProblemError(status=505, kind="http-version", detail="Speak HTTP/1.1.")
    return parts[0], parts[1], parts[2]


def _headers(reader: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS + 1):
        line = reader.readline(MAX_LINE_BYTES + 1)
        if line in (b"\r\n", b"\n"):
            return headers
        if len(line) > MAX_LINE_BYTES:
            break
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\n") or name != name.strip() or not name:
            raise ProblemError(status=400, kind="malformed", detail="Write each header as Name: value.")
        name = name.lower()
        value = value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raise ProblemError(
        status=431,
        kind="headers-too-large",
        detail=f"Send at most {MAX_HEADERS} headers of {MAX_LINE_BYTES} bytes each.",
    )


def _body(reader: BinaryIO, headers: dict[str, str]) -> bytes | None:
    """The body, or None when the connection ended in the middle of it."""
    if "transfer-encoding" in headers:
        raise ProblemError(status=411, kind="length-required", detail="Send a Content-Length, not chunks.")
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ProblemError(status=400, kind="malformed", detail="Content-Length must be one plain number.")
    length = int(text)
    if length > MAX_BODY_BYTES:
        raise ProblemError(status=413, kind="body-too-large", detail=f"Send at most {MAX_BODY_BYTES} bytes.")
    if "expect" in headers:
        raise ProblemError(status=417, kind="expectation", detail="Send the body without an Expect header.")
    body = reader.read(length) if length else b""
    return body if len(body) == length else None
