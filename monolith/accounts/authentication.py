"""``Authorization: Bearer …`` for the API (RFC 6750)."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from monolith.accounts.models import Token, User
from monolith.accounts.tokens import find_token, note_use


class BearerAuthentication(BaseAuthentication):
    """The token's user as ``request.user``, the token as ``request.auth``."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        words = get_authorization_header(request).split()
        if not words:
            return None
        token = find_token(_secret(words))
        if token is None:
            raise AuthenticationFailed("This token is unknown or was revoked; ask for a new one.")
        note_use(token=token, now=timezone.now())
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _secret(words: list[bytes]) -> str:
    if len(words) != 2 or words[0].lower() != b"bearer":
        raise AuthenticationFailed("Send the header as: Authorization: Bearer <token>.")
    try:
        return words[1].decode("ascii")
    except UnicodeDecodeError:
        raise AuthenticationFailed("A token has ASCII characters only; copy it again.") from None
