"""A thread per connection, connections kept alive, loopback only."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import BinaryIO

from simulators.psp.answers import Answer, ProblemError, problem_answer
from simulators.psp.routes import Application
from simulators.psp.wire import read_request, response_bytes

_log = logging.getLogger("psp")

HOST = "127.0.0.1"
IDLE_SECONDS = 75.0
LAST_ANSWERS_SECONDS = 2.0
_ACCEPT_AGAIN_SECONDS = 0.1
_DRAIN_SECONDS = 2.0
_DRAIN_BYTES = 16 * 1024 * 1024


class Server:
    """Listens from the moment it is made; `start` begins to answer. Raises OSError when the port is taken."""

    def __init__(self, *, application: Application, port: int) -> None:
        self._application = application
        self._stopping = False
        self._busy = 0
        self._busy_lock = threading.Lock()
        self._listener = socket.create_server((HOST, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> None:
        """Accept connections in a thread of its own."""
        threading.Thread(target=self._accept, name="psp-accept", daemon=True).start()

    def stop(self) -> None:
        """Take no more requests; give those being answered a moment to finish."""
        self._stopping = True
        # Wakes the thread in accept(), which close() alone would not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        deadline = time.monotonic() + LAST_ANSWERS_SECONDS
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.01)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if not self._stopping:  # out of file descriptors, say: connections that end will free some
                    _log.warning("A connection could not be accepted: %s", error)
                    time.sleep(_ACCEPT_AGAIN_SECONDS)
                continue
            threading.Thread(target=self._serve, args=(connection,), name="psp", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(IDLE_SECONDS)
            # A client that went away, or was silent for too long, is an ordinary end of a connection.
            with contextlib.suppress(ConnectionError, TimeoutError):
                while self._serve_one(connection, reader):
                    pass

    def _serve_one(self, connection: socket.socket, reader: BinaryIO) -> bool:
        """Answer one request; False when the connection is over."""
        try:
            request = read_request(reader=reader)
        except ProblemError as problem:
            _refuse(connection, problem_answer(problem=problem))
            return False
        if request is None or not self._begin():
            return False
        try:
            answer = self._application.answer(request=request)
            if answer is None:
                return False
            keep_alive = request.keep_alive and not self._stopping
            connection.sendall(response_bytes(answer=answer, keep_alive=keep_alive, has_body=request.method != "HEAD"))
        finally:
            with self._busy_lock:
                self._busy -= 1
        return keep_alive

    def _begin(self) -> bool:
        with self._busy_lock:
            if self._stopping:
                return False
            self._busy += 1
        return True


def _refuse(connection: socket.socket, answer: Answer) -> None:
    """Send the answer and read on for a moment: closing with unread bytes would reset it away."""
    connection.sendall(response_bytes(answer=answer, keep_alive=False))
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(_DRAIN_SECONDS)
    deadline = time.monotonic() + _DRAIN_SECONDS
    unread = _DRAIN_BYTES
    while unread > 0 and time.monotonic() < deadline:
        chunk = connection.recv(64 * 1024)
        if not chunk:
            return
        unread -= len(chunk)
