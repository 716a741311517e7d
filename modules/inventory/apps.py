"""Inventory as a Django app."""

from django_seams.modules import ModuleConfig


class InventoryConfig(ModuleConfig):
    name = "modules.inventory"
    label = "inventory"
    default_auto_field = "django.db.models.BigAutoField"
