"""The inbox's tables. They exist once per database that modules live in."""

from django.db import models
from django.db.models import Q


class Delivery(models.Model):
    """One event on its way to one handler; deleted when handled, kept when dead.

    ``id`` is the order within the lane (module, key).
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting: will be handled when it is the head of its lane"
        DEAD = "dead", "dead letter: failed too often; parks its lane until replayed or discarded"

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField()
    source = models.CharField(max_length=63, help_text="alias of the database whose outbox it came from")
    type = models.CharField(max_length=255)
    module = models.CharField(max_length=63)
    key = models.CharField(max_length=255)
    handler = models.CharField(max_length=63)
    body = models.JSONField(help_text="only the fields that the handler's view asks for")
    headers = models.JSONField()
    compensates = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    appended_at = models.DateTimeField(auto_now_add=True)
    dead_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "seams_delivery"
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["event_id", "handler"], name="seams_delivery_once")]
        indexes = [
            models.Index(fields=["module", "key", "id"], condition=Q(state="waiting"), name="seams_delivery_lane"),
            models.Index(fields=["module", "id"], condition=Q(state="dead"), name="seams_delivery_dead"),
        ]

    def __str__(self) -> str:
        return f"{self.type} → {self.handler} ({self.state})"


class Lane(models.Model):
    """All deliveries of one key to one module; what workers claim. Gone when nothing waits in it.

    ``arrivals`` counts what the relay appended since the row was made: a worker that closes a lane
    deletes it only if nothing arrived since it looked.
    """

    pk = models.CompositePrimaryKey("module", "key")
    module = models.CharField(max_length=63)
    key = models.CharField(max_length=255)
    due_at = models.DateTimeField(null=True, help_text="null: parked, with nothing that may pass")
    leased_until = models.DateTimeField(null=True)
    token = models.UUIDField(null=True)
    arrivals = models.BigIntegerField(default=0)
    parked = models.BooleanField(default=False, help_text="a dead letter stands at the head")

    class Meta:
        db_table = "seams_lane"
        indexes = [models.Index(fields=["module", "due_at"], name="seams_lane_due")]

    def __str__(self) -> str:
        return f"{self.module}/{self.key}"
