"""Making and recognising bearer tokens."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from monolith.accounts.models import Token, User

DEMO_CUSTOMER = "demo"
_PREFIX = "seams_"  # lets secret scanners recognise a leaked one
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


def issue_token(*, user: User, label: str) -> str:
    """Make a token for ``user`` and return it; it cannot be read again."""
    secret = new_secret()
    Token.objects.create(user=user, label=label, sha256=sha256(secret))
    return secret


def ensure_demo_customer() -> tuple[User, str]:
    """The demo customer and its token, which is derived from SECRET_KEY and so can be printed again."""
    user, created = User.objects.get_or_create(username=DEMO_CUSTOMER)
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    secret = demo_token()
    Token.objects.get_or_create(sha256=sha256(secret), defaults={"user": user, "label": "demo customer"})
    return user, secret


def demo_token() -> str:
    """The demo customer's token under the present SECRET_KEY."""
    proof = hmac.new(settings.SECRET_KEY.encode(), b"monolith.accounts.demo-token.v1", hashlib.sha256)
    return f"{_PREFIX}demo_{proof.hexdigest()[:40]}"


def find_token(secret: str) -> Token | None:
    """The valid token that ``secret`` is, with its user; one query."""
    valid = Token.objects.select_related("user").filter(revoked_at=None, user__is_active=True)
    return valid.filter(sha256=sha256(secret)).first()


def note_use(*, token: Token, now: datetime) -> None:
    """Remember that ``token`` was used, to the minute: not a write per request."""
    stale = now - _USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < stale:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=stale)
        Token.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)


def new_secret() -> str:
    """A token that nobody has."""
    return _PREFIX + secrets.token_urlsafe(32)


def sha256(secret: str) -> str:
    """What is stored of a token. It has 256 random bits, so a plain digest is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
