"""The toolkit as a Django app, labelled ``seams``. List it before ``django_outbox_pattern``."""

from django.apps import AppConfig


class SeamsConfig(AppConfig):
    name = "django_seams"
    label = "seams"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_seams import checks  # noqa: F401  registers the start-up checks
