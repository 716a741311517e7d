from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from monolith.accounts.authentication import BearerAuthentication
from monolith.accounts.models import Token, User
from monolith.accounts.tokens import demo_token, ensure_demo_customer, find_token, issue_token, note_use

pytestmark = pytest.mark.seams_db


@pytest.fixture
def user():
    return User.objects.create(username="somebody")


def authenticate(header):
    return BearerAuthentication().authenticate(APIRequestFactory().get("/", headers={"Authorization": header}))


class TestTokens:
    def test_are_not_stored(self, user):
        secret = issue_token(user=user, label="till")
        stored = Token.objects.values().get()
        assert secret not in str(stored)
        assert find_token(secret).user == user

    def test_are_of_no_use_once_revoked(self, user):
        secret = issue_token(user=user, label="till")
        Token.objects.update(revoked_at=timezone.now())
        assert find_token(secret) is None

    def test_are_of_no_use_to_a_user_who_is_not_active(self, user):
        secret = issue_token(user=user, label="till")
        User.objects.update(is_active=False)
        assert find_token(secret) is None

    def test_note_their_use_to_the_minute(self, user):
        issue_token(user=user, label="till")
        now = timezone.now()
        for moment in (now, now + timedelta(seconds=59)):
            note_use(token=Token.objects.get(), now=moment)
            assert Token.objects.get().last_used_at == now
        note_use(token=Token.objects.get(), now=now + timedelta(seconds=61))
        assert Token.objects.get().last_used_at == now + timedelta(seconds=61)


class TestAuthentication:
    def test_takes_one_query(self, user):
        secret = issue_token(user=user, label="till")
        authenticate(f"Bearer {secret}")  # notes the use, once a minute
        with CaptureQueriesContext(connections["default"]) as queries:
            found, token = authenticate(f"bearer {secret}")
        assert (found, token.label) == (user, "till")
        assert len(queries) == 1

    def test_leaves_a_request_without_the_header_to_others(self):
        assert BearerAuthentication().authenticate(APIRequestFactory().get("/")) is None

    @pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer nobody", "Token abc", "Bearer t\xf6k"])
    def test_refuses_what_it_does_not_know(self, header):
        with pytest.raises(AuthenticationFailed):
            authenticate(header)


class TestDemoCustomer:
    def test_has_a_token_that_can_be_printed_again(self):
        first, again = ensure_demo_customer(), ensure_demo_customer()
        assert first == again
        assert find_token(demo_token()).user == first[0]
        assert not first[0].has_usable_password()

    def test_has_another_token_under_another_secret_key(self, settings):
        before = demo_token()
        settings.SECRET_KEY = "another"
        assert demo_token() != before


class TestUsers:
    def test_have_a_uuid_from_the_first_migration_on(self):
        assert get_user_model() is User
        assert User._meta.pk.get_internal_type() == "UUIDField"
