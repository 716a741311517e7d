from __future__ import annotations

import http.client
import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulators.psp.errors import LedgerError
from simulators.psp.ledger import Ledger
from simulators.psp.server import Server
from tests.psp.client import Client, Reply
from tests.psp.conftest import WAIT_SECONDS, Gate

GOOD = {"merchant_reference": "order-1", "amount_minor": 500, "currency": "EUR", "token": "tok_ok"}


def problem(reply: Reply, *, status: int) -> dict[str, str]:
    """The named fields of a problem document, after checking that it is one."""
    assert (reply.status, reply.content_type) == (status, "application/problem+json")
    assert reply.content["status"] == status
    assert reply.content["type"].startswith("urn:psp:problem:")
    assert reply.content["title"]
    assert reply.content["detail"]
    return {error["field"]: error["detail"] for error in reply.content.get("errors", [])}


class TestCaptures:
    def test_answers_201_and_then_200_with_the_same_record(self, client: Client) -> None:
        first = client.capture(key="k")
        assert (first.status, first.content_type) == (201, "application/json")
        assert first.content == {
            "id": first.content["id"],
            "status": "captured",
            "idempotency_key": "k",
            "merchant_reference": "order-1",
            "amount_minor": 500,
            "currency": "EUR",
            "decline_code": None,
            "created_at": first.content["created_at"],
        }
        again = client.capture(key="k")
        assert (again.status, again.content) == (200, first.content)
        assert client.get(f"/v1/captures/{first.content['id']}").content == first.content
        assert client.get("/v1/captures/cap_nope").status == 404

    def test_declines_with_201(self, client: Client) -> None:
        reply = client.capture(key="k", token="tok_declined")
        assert (reply.status, reply.content["status"]) == (201, "declined")
        assert reply.content["decline_code"] == "card_declined"

    def test_refuses_the_same_key_with_another_body(self, client: Client) -> None:
        client.capture(key="k")
        problem(client.capture(key="k", amount=501), status=422)

    def test_finds_every_record_of_a_reference(self, client: Client) -> None:
        reference = "Bestellung 7/ä&b=c"
        client.capture(key="other")
        client.capture(key="a", reference=reference, token="tok_declined")
        client.capture(key="b", reference=reference)
        client.void(key="c", reference=reference)
        found = client.get("/v1/captures?merchant_reference=Bestellung%207%2F%C3%A4%26b%3Dc").content["captures"]
        assert [record["status"] for record in found] == ["declined", "captured", "voided"]
        assert client.get("/v1/captures?merchant_reference=none").content == {"captures": []}
        assert "merchant_reference" in problem(client.get("/v1/captures"), status=400)

    def test_answers_500_first_and_then_captures(self, client: Client) -> None:
        problem(client.capture(key="k", token="tok_error_then_ok"), status=500)
        assert client.capture(key="k", token="tok_error_then_ok").status == 201

    def test_loses_the_response_once_after_capturing(self, client: Client) -> None:
        with pytest.raises(http.client.RemoteDisconnected):
            client.capture(key="k", token="tok_lost_response")
        (found,) = client.get("/v1/captures?merchant_reference=order-1").content["captures"]
        assert (found["status"], found["idempotency_key"]) == ("captured", "k")
        again = client.capture(key="k", token="tok_lost_response")
        assert (again.status, again.content) == (200, found)
        assert client.void(key="k").content == found

    def test_answers_409_while_the_key_is_in_flight(self, client: Client, other_client: Client, gate: Gate) -> None:
        with ThreadPoolExecutor() as pool:
            slow = pool.submit(client.capture, key="k", token="tok_slow")
            assert gate.reached.wait(WAIT_SECONDS)
            problem(other_client.capture(key="k", token="tok_slow"), status=409)
            void = other_client.void(key="k")
            assert (void.status, void.content["status"]) == (409, "in_flight")
            gate.opened.set()
            assert slow.result(WAIT_SECONDS).status == 201
        assert other_client.capture(key="k", token="tok_slow").status == 200

    def test_closes_without_an_answer_and_gives_up_when_the_ledger_fails(
        self, client: Client, ledger: Ledger, fatal: list[LedgerError]
    ) -> None:
        ledger.close()
        with pytest.raises(http.client.RemoteDisconnected):
            client.capture(key="k")
        assert len(fatal) == 1


class TestVoids:
    def test_binds_the_key(self, client: Client) -> None:
        void = client.void(key="k")
        assert (void.status, void.content["status"], void.content["idempotency_key"]) == (200, "voided", "k")
        assert client.void(key="k") == void
        late = client.capture(key="k")
        assert (late.status, late.content) == (200, void.content)

    def test_answers_409_with_the_record_that_was_first(self, client: Client) -> None:
        captured = client.capture(key="k").content
        void = client.void(key="k")
        assert (void.status, void.content) == (409, captured)


class TestRefunds:
    def test_answers_201_then_200_and_422_beyond_what_was_captured(self, client: Client) -> None:
        capture_id = client.capture(key="k").content["id"]
        first = client.refund(key="r", capture_id=capture_id, amount=300)
        assert first.status == 201
        assert first.content["status"] == "refunded"
        assert first.content["capture_id"] == capture_id
        assert first.content["amount_minor"] == 300
        again = client.refund(key="r", capture_id=capture_id, amount=300)
        assert (again.status, again.content) == (200, first.content)
        assert "amount_minor" in problem(client.refund(key="r2", capture_id=capture_id, amount=201), status=422)
        problem(client.refund(key="r", capture_id=capture_id, amount=1), status=422)
        problem(client.refund(key="r3", capture_id="cap_nope", amount=1), status=404)


class TestLedger:
    def test_lists_what_happened_in_order_and_pages(self, client: Client) -> None:
        capture = client.capture(key="a").content
        client.capture(key="b", token="tok_declined")
        client.void(key="c")
        refund = client.refund(key="r", capture_id=capture["id"], amount=500).content
        entries = client.ledger()
        assert [entry["kind"] for entry in entries] == ["capture", "decline", "void", "refund"]
        assert entries[3] == {
            "seq": 4,
            "kind": "refund",
            "id": refund["id"],
            "capture_id": capture["id"],
            "idempotency_key": "r",
            "merchant_reference": "order-1",
            "amount_minor": 500,
            "currency": "EUR",
            "at": refund["created_at"],
        }
        assert client.ledger("?after=1&limit=2") == entries[1:3]
        assert client.ledger("?after=4") == []

    @pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=10001", "limit=", "after=²"])
    def test_refuses_a_page_that_is_none(self, client: Client, query: str) -> None:
        name = query.partition("=")[0]
        assert name in problem(client.get(f"/v1/ledger?{query.replace('²', '%C2%B2')}"), status=400)


class TestControl:
    def test_answers_503_to_everything_else_during_an_outage(self, client: Client) -> None:
        assert client.post("/v1/control", {"outage": True}).content == {"outage": True, "delay_ms": 0}
        problem(client.capture(key="k"), status=503)
        problem(client.get("/v1/ledger"), status=503)
        assert client.get("/livez").status == 200
        assert client.get("/v1/control").content["outage"] is True
        client.post("/v1/control", {"outage": False})
        assert client.ledger() == []
        assert client.capture(key="k").status == 201

    def test_delays_everything_else(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        monkeypatch.setattr("simulators.psp.routes.time.sleep", slept.append)
        client.post("/v1/control", {"delay_ms": 250})
        client.get("/livez")
        assert slept == []
        assert client.capture(key="k").status == 201
        assert slept == [0.25]

    @pytest.mark.parametrize("body", [{"outage": 1}, {"delay_ms": -1}, {"delay_ms": True}, {"outrage": True}])
    def test_refuses_what_is_no_switch(self, client: Client, body: dict[str, object]) -> None:
        assert set(problem(client.post("/v1/control", body), status=400)) == set(body)


class TestBadInput:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("merchant_reference", ""),
            ("merchant_reference", "x" * 256),
            ("merchant_reference", "a\nb"),
            ("merchant_reference", "\ud800"),
            ("amount_minor", 0),
            ("amount_minor", -5),
            ("amount_minor", 10**12 + 1),
            ("amount_minor", 1.5),
            ("amount_minor", "5"),
            ("amount_minor", True),
            ("currency", "eur"),
            ("currency", "EURO"),
            ("token", None),
            ("colour", "red"),
        ],
    )
    def test_names_the_field_and_writes_nothing(self, client: Client, field: str, value: object) -> None:
        reply = client.post("/v1/captures", {**GOOD, field: value}, key="k")
        assert set(problem(reply, status=400)) == {field}
        assert client.ledger() == []

    def test_names_every_missing_field(self, client: Client) -> None:
        assert set(problem(client.post("/v1/captures", {}, key="k"), status=400)) == set(GOOD)
        assert set(problem(client.post("/v1/voids", {}), status=400)) == {
            "idempotency_key",
            "merchant_reference",
        }

    @pytest.mark.parametrize("key", [None, "", "two words", "x" * 256])
    def test_wants_a_key(self, client: Client, key: str | None) -> None:
        assert "Idempotency-Key" in problem(client.post("/v1/captures", GOOD, key=key), status=400)

    @pytest.mark.parametrize(
        "body",
        [b"", b"nonsense", b"[1]", b"\xff\xfe", b"[" * 60_000, b'{"amount_minor": ' + b"9" * 5000 + b"}"],
    )
    def test_refuses_what_is_no_json_object(self, client: Client, body: bytes) -> None:
        problem(client.send("POST", "/v1/captures", body=body, key="k"), status=400)
        assert client.get("/livez").status == 200

    def test_refuses_five_megabytes_with_an_answer(self, client: Client) -> None:
        problem(client.send("POST", "/v1/captures", body=b" " * 5_000_000, key="k"), status=413)
        assert client.get("/livez").status == 200

    def test_knows_what_it_does_not_have(self, client: Client) -> None:
        problem(client.get("/v2/captures"), status=404)
        problem(client.send("DELETE", "/v1/captures"), status=405)
        assert client.send("HEAD", "/livez").status == 405

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"nonsense\r\n\r\n", 400),
            (b"GET http://other/livez HTTP/1.1\r\n\r\n", 400),
            (b"GET /livez HTTP/2.0\r\n\r\n", 505),
            (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET /livez HTTP/1.1\r\nno colon\r\n\r\n", 400),
            (b"GET /livez HTTP/1.1\r\nfolded: a\r\n b: c\r\n\r\n", 400),
            (b"GET /livez HTTP/1.1\r\nlong: " + b"x" * 9000 + b"\r\n\r\n", 431),
            (b"GET /livez HTTP/1.1\r\n" + b"a: b\r\n" * 70 + b"\r\n", 431),
            (b"POST /v1/voids HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST /v1/voids HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            (b"POST /v1/voids HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
            (b"POST /v1/voids HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", 417),
        ],
    )
    def test_answers_broken_http_and_closes(self, server: Server, sent: bytes, status: int) -> None:
        reply = exchange(server, sent)
        assert reply.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"Connection: close" in reply

    def test_does_nothing_with_half_a_request(self, server: Server, client: Client) -> None:
        body = b'{"idempotency_key": "k", "merchant_reference": "order-1"}'
        head = f"POST /v1/voids HTTP/1.1\r\nContent-Length: {len(body) + 1}\r\n\r\n".encode()
        assert exchange(server, head + body) == b""
        assert client.ledger() == []


class TestConnections:
    def test_answers_requests_that_were_sent_together_in_order(self, server: Server) -> None:
        sent = b"GET /livez HTTP/1.1\r\n\r\nGET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"
        reply = exchange(server, sent)
        assert reply.startswith(b"HTTP/1.1 200 OK")
        assert b"HTTP/1.1 404 Not Found" in reply

    def test_closes_for_http_1_0(self, server: Server) -> None:
        assert b"Connection: close" in exchange(server, b"GET /livez HTTP/1.0\r\n\r\n", half_close=False)

    def test_survives_garbage(self, server: Server, client: Client) -> None:
        exchange(server, os.urandom(5000) + b"\r\n\r\n")
        assert client.get("/livez").status == 200


def exchange(server: Server, sent: bytes, *, half_close: bool = True) -> bytes:
    """Everything the server answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
        connection.sendall(sent)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        reply = b""
        while chunk := connection.recv(65536):
            reply += chunk
        return reply
