"""Which modules exist, where each keeps its data, and transactions that belong to one of them.

Modules are declared once, in ``pyproject.toml``::

    [tool.seams.modules.orders]
    path = "modules/orders"
    alias = "orders"
    owner = "@orders-team"

Two modules may share an alias: nothing here assumes that they do not.
"""

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections, transaction
from django.db.models import Model

from django_seams.errors import SeamsError

DUMMY_ENGINE = "django.db.backends.dummy"
_TOOLKIT_APPS = frozenset({"seams", "django_outbox_pattern"})


class UnknownModuleError(SeamsError):
    """No module of that name is declared; add it under [tool.seams.modules] in pyproject.toml."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """A bounded context inside the deployable: one Django app, one owner, one database alias."""

    name: str
    path: str
    alias: str
    owner: str

    @property
    def import_name(self) -> str:
        return self.path.replace("/", ".")


def load_modules(pyproject: Path) -> dict[str, Module]:
    """Read ``[tool.seams.modules]``; to be put into ``SEAMS["MODULES"]`` of the settings.

    Raises UnknownModuleError with the line to change when an entry is incomplete.
    """
    tables = tomllib.loads(pyproject.read_text()).get("tool", {}).get("seams", {}).get("modules", {})
    return {name: _module(name, table, pyproject) for name, table in tables.items()}


def _module(name: str, table: dict[str, str], pyproject: Path) -> Module:
    missing = [field for field in ("path", "alias", "owner") if not table.get(field)]
    if missing:
        raise UnknownModuleError(f"{pyproject.name}: [tool.seams.modules.{name}] needs {', '.join(missing)}.")
    return Module(name=name, path=table["path"].rstrip("/"), alias=table["alias"], owner=table["owner"])


def declared_modules() -> dict[str, Module]:
    """All modules by name, in the order of their declaration."""
    return cast(dict[str, Module], settings.SEAMS["MODULES"])


def module_named(name: str) -> Module:
    """The module of that name. Raises UnknownModuleError."""
    try:
        return declared_modules()[name]
    except KeyError:
        known = ", ".join(declared_modules()) or "none"
        raise UnknownModuleError(f"No module {name!r} is declared in pyproject.toml (declared: {known}).") from None


def module_of_code(dotted: str) -> Module | None:
    """The module that the Python module ``dotted`` belongs to, if any."""
    for module in declared_modules().values():
        if dotted == module.import_name or dotted.startswith(f"{module.import_name}."):
            return module
    return None


def module_aliases() -> list[str]:
    """The databases that modules live in: those with an outbox and an inbox."""
    return list(dict.fromkeys(module.alias for module in declared_modules().values()))


def is_configured(alias: str) -> bool:
    """Whether this process has been given a URL for ``alias``; a worker has only its own."""
    return bool(connections.settings[alias]["ENGINE"] != DUMMY_ENGINE)


def configured_aliases() -> list[str]:
    """The module databases that this process may open."""
    return [alias for alias in module_aliases() if is_configured(alias)]


def atomic(module: str) -> transaction.Atomic:
    """``transaction.atomic`` on the module's own database; the bare form would open ``default``."""
    return transaction.atomic(using=module_named(module).alias)


def on_commit(module: str, call: Callable[[], object]) -> None:
    """Run ``call`` once the module's open transaction has committed, or now if none is open."""
    transaction.on_commit(call, using=module_named(module).alias)


def in_transaction(alias: str) -> bool:
    """Whether code (not a test case that wraps it) has a transaction open on ``alias``.

    Under ``TestCase`` ``in_atomic_block`` is always true; the blocks that the test opened itself
    carry Django's ``_from_testcase`` mark and do not count.
    """
    blocks: Iterable[Any] = connections[alias].atomic_blocks
    return any(not block._from_testcase for block in blocks)


class Router:
    """Send each app to its module's database, the toolkit's tables to all of those, the rest to ``default``."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return _alias_of_app(model._meta.app_label)

    db_for_write = db_for_read

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool | None:
        return _alias_of_app(first._meta.app_label) == _alias_of_app(second._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if app_label in _TOOLKIT_APPS:
            return db in module_aliases()
        return db == (_alias_of_app(app_label) or "default")


def _alias_of_app(app_label: str) -> str | None:
    module = module_of_code(apps.get_app_config(app_label).name)
    return module.alias if module else None


class ModuleConfig(AppConfig):
    """Base of a module's AppConfig: reads its events, handlers and jobs at start-up."""

    def __init_subclass__(cls) -> None:
        # apps.py also holds the imported base class, and between two Django picks neither by itself.
        super().__init_subclass__()
        cls.default = True

    def ready(self) -> None:
        for name in ("events", "handlers", "jobs"):
            if find_spec(f"{self.name}.{name}"):
                import_module(f"{self.name}.{name}")
