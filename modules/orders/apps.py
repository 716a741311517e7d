from django.core.checks import register

from django_seams.modules import ModuleConfig


class OrdersConfig(ModuleConfig):
    name = "modules.orders"
    label = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        super().ready()
        from modules.orders.checks import check_order_deadline

        register(check_order_deadline)
