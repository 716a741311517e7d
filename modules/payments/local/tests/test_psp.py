"""The adapter against answers that a healthy provider does not give, and networks that fail."""

import json
from dataclasses import replace

import httpx2
import pytest

from modules.payments.errors import ProviderNotConfiguredError
from modules.payments.local.claims import LEASE
from modules.payments.local.provider import (
    Charge,
    Declined,
    InFlight,
    NoAnswer,
    NotSent,
    Refund,
    Refused,
    Voided,
)
from modules.payments.local.psp import TIMEOUT, PspClient, connect, provider_of_this_thread

CHARGE = Charge(key="charge-1", reference="order-1", amount_minor=1999, currency="EUR", token="tok_secret")
REFUND = Refund(key="refund-1", capture_id="cap_1", amount_minor=1999, currency="EUR")
RECORD = {
    "id": "cap_1",
    "status": "captured",
    "idempotency_key": "charge-1",
    "merchant_reference": "order-1",
    "amount_minor": 1999,
    "currency": "EUR",
    "decline_code": None,
    "created_at": "2026-11-22T12:00:00Z",
}
REFUNDED = {"id": "ref_1", "status": "refunded", "capture_id": "cap_1", "amount_minor": 1999, "currency": "EUR"}

CALLS = {
    "capture": lambda provider: provider.capture(charge=CHARGE),
    "find": lambda provider: provider.find(charge=CHARGE),
    "void": lambda provider: provider.void(charge=CHARGE),
    "refund": lambda provider: provider.refund(refund=REFUND),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def answering(status, content, **headers):
    """A client whose provider always answers this."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client(lambda request: httpx2.Response(status, content=body, headers=headers))


def failing(error):
    def fail(request):
        raise error

    return client(fail)


def client(handle):
    return PspClient(client=httpx2.Client(base_url="http://psp.test", transport=httpx2.MockTransport(handle)))


class TestNetwork:
    @every_call
    @pytest.mark.parametrize("error", [httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout])
    def test_that_cannot_be_reached_means_not_sent(self, call, error):
        assert isinstance(call(failing(error("no route"))), NotSent)

    @every_call
    @pytest.mark.parametrize(
        "error",
        [
            httpx2.ReadTimeout,
            httpx2.WriteTimeout,
            httpx2.ReadError,
            httpx2.WriteError,
            httpx2.RemoteProtocolError,
            httpx2.DecodingError,
        ],
    )
    def test_that_fails_later_leaves_the_outcome_open(self, call, error):
        assert isinstance(call(failing(error("gone"))), NoAnswer)

    def test_is_given_up_before_the_lease_ends(self):
        assert sum(filter(None, TIMEOUT.as_dict().values())) < LEASE.total_seconds()

    def test_is_used_without_the_proxies_of_the_environment(self, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert connect(url="http://psp.test")._client.trust_env is False


class TestAnswer:
    @every_call
    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_that_may_be_better_next_time_leaves_the_outcome_open(self, call, status):
        assert isinstance(call(answering(status, {})), NoAnswer)

    @every_call
    @pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
    def test_that_calls_the_request_wrong_is_a_refusal(self, call, status):
        assert isinstance(call(answering(status, {}, location="http://elsewhere.test")), Refused)

    @every_call
    @pytest.mark.parametrize("content", [b"", b"<html>ok</html>", b'{"id": "cap', b"[]", b"{}", b'{"status": "maybe"}'])
    def test_that_cannot_be_read_leaves_the_outcome_open(self, call, content):
        assert isinstance(call(answering(200, content)), NoAnswer)

    @pytest.mark.parametrize("name", ["capture", "void", "refund"])
    def test_409_without_a_record_means_in_flight(self, name):
        assert CALLS[name](answering(409, {"status": "in_flight"})) == InFlight()

    def test_to_a_void_tells_what_the_key_is_bound_to(self):
        declined = RECORD | {"status": "declined", "decline_code": "card_declined"}
        assert CALLS["void"](answering(409, declined)) == Declined(code="card_declined")

    @pytest.mark.parametrize("status", ["captured", "declined"])
    @pytest.mark.parametrize("change", [{"amount_minor": 1}, {"currency": "USD"}])
    def test_about_other_money_is_a_refusal(self, status, change):
        outcome = CALLS["capture"](answering(200, RECORD | {"status": status} | change))
        assert isinstance(outcome, Refused)

    def test_about_a_void_has_no_money(self):
        voided = RECORD | {"status": "voided", "amount_minor": 0, "currency": "XXX"}
        assert CALLS["capture"](answering(200, voided)) == Voided()

    @pytest.mark.parametrize("change", [{"idempotency_key": "charge-2"}, {"merchant_reference": "order-2"}])
    @pytest.mark.parametrize("name", ["capture", "void"])
    def test_about_another_charge_is_a_refusal(self, name, change):
        assert isinstance(CALLS[name](answering(200, RECORD | change)), Refused)

    @pytest.mark.parametrize("change", [{"capture_id": "cap_2"}, {"amount_minor": 1}])
    def test_about_another_refund_is_a_refusal(self, change):
        assert isinstance(CALLS["refund"](answering(201, REFUNDED | change)), Refused)


class TestRequest:
    def test_to_capture_carries_key_and_body(self):
        sent = []

        def capture(request):
            sent.append(request)
            return httpx2.Response(201, json=RECORD)

        client(capture).capture(charge=CHARGE)
        assert sent[0].headers["Idempotency-Key"] == "charge-1"
        assert json.loads(sent[0].content) == {
            "merchant_reference": "order-1",
            "amount_minor": 1999,
            "currency": "EUR",
            "token": "tok_secret",
        }

    def test_never_shows_in_an_outcome(self):
        echo = client(lambda request: httpx2.Response(400, content=request.content))
        garbage = client(lambda request: httpx2.Response(200, content=request.content))
        for provider in (echo, garbage):
            assert "tok_secret" not in repr(provider.capture(charge=CHARGE))

    def test_finds_its_own_record_among_several(self):
        voided = RECORD | {"status": "voided", "amount_minor": 0, "currency": "XXX"}
        other = RECORD | {"idempotency_key": "charge-2"}
        found = answering(200, {"captures": [other, voided]})
        assert found.find(charge=replace(CHARGE, token="")) == Voided()


class TestProviderOfThisThread:
    def test_keeps_its_client(self, settings):
        settings.PSP_URL = "http://psp.test"
        assert provider_of_this_thread() is provider_of_this_thread()

    def test_follows_the_setting(self, settings):
        settings.PSP_URL = "http://psp.test"
        first = provider_of_this_thread()
        settings.PSP_URL = "http://other.test"
        assert provider_of_this_thread() is not first

    def test_says_what_to_set(self, settings):
        settings.PSP_URL = ""
        with pytest.raises(ProviderNotConfiguredError, match="PSP_URL is not set; set it"):
            provider_of_this_thread()
