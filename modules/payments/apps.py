"""Payments as a Django app, and the one place that decides which implementation serves which route."""

from django_seams.modules import ModuleConfig


class PaymentsConfig(ModuleConfig):
    name = "modules.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        super().ready()
        from modules.payments import checks  # noqa: F401  registers the start-up check
        from modules.payments.gateway import gateways
        from modules.payments.local.gateway import LocalGateway
        from modules.payments.types import Route

        gateways[Route.LOCAL] = LocalGateway()
