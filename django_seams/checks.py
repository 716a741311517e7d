"""Start-up checks: what is declared wrongly stops the process here, never at the third request."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from django_seams import schemas
from django_seams.bus import Subscription, subscriptions
from django_seams.events import declared_events, module_of
from django_seams.modules import declared_modules


@register("seams")
def check_seams(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Modules, events and subscriptions fit together."""
    return [*_module_errors(), *_event_errors(), *_subscription_errors()]


def _module_errors() -> Iterator[CheckMessage]:
    installed = {config.name for config in apps.get_app_configs()}
    for module in declared_modules().values():
        if module.import_name not in installed:
            yield Error(
                f"Module {module.name!r} is declared but {module.import_name!r} is not installed.",
                hint="Add it to INSTALLED_APPS, or remove it from [tool.seams.modules].",
                id="seams.E001",
            )
        if module.alias not in settings.DATABASES:
            yield Error(
                f"Module {module.name!r} lives in database {module.alias!r}, which DATABASES lacks.",
                hint="Add the alias to DATABASES.",
                id="seams.E002",
            )


def _event_errors() -> Iterator[CheckMessage]:
    for event_type in declared_events():
        if module_of(event_type) not in declared_modules():
            yield Error(
                f"{event_type} belongs to no declared module.",
                hint="The part before the first dot names the module that publishes it.",
                id="seams.E003",
            )


def _subscription_errors() -> Iterator[CheckMessage]:
    for subscription in subscriptions():
        try:
            schema = schemas.committed(subscription.event_type)
        except schemas.MissingSchemaError as error:
            yield Error(f"{subscription.handler} subscribes to {error}", id="seams.E004")
            continue
        yield from _misfits(subscription, schema)


def _misfits(subscription: Subscription, schema: schemas.Schema) -> Iterator[CheckMessage]:
    for misfit in schemas.misfits(subscription.view, schema):
        yield Error(
            f"{subscription.handler}: its view of {subscription.event_type} does not fit: {misfit}.",
            hint=f"Change {subscription.view.__qualname__} in {subscription.view.__module__}.",
            id="seams.E005",
        )
