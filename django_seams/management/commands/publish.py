"""django-outbox-pattern's ``publish`` is refused with a pointer to ours."""

from django_seams.refused import RefusedCommand


class Command(RefusedCommand):
    instead = "manage.py seams relay"
