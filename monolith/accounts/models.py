"""Users and tokens, in the ``default`` database."""

from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person or a system that calls. ``id`` is the ``customer_id`` that modules know."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)


class Token(models.Model):
    """A bearer token. Only its SHA-256 is kept: whoever reads this table cannot use it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=100, help_text="what or who uses it, so that it can be revoked later")
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"{self.label} ({self.user})"
