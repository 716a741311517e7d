"""django-outbox-pattern's ``subscribe`` is refused with a pointer to ours."""

from django_seams.refused import RefusedCommand


class Command(RefusedCommand):
    instead = "manage.py seams worker MODULE"
