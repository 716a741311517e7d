"""How the relay connects: as its own role, to the databases that modules live in."""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg.conninfo import make_conninfo


def slot_of(alias: str) -> str:
    """The replication slot of a database and the inbox sinks; slot names are cluster-wide."""
    return f"seams_{connections[alias].settings_dict['NAME']}_inbox"


def relay_conninfo(alias: str) -> str:
    """The relay's own connection string. A sink that hangs is cut off before the standby takes over."""
    database = connections[alias].settings_dict
    return make_conninfo(
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        dbname=database["NAME"],
        user=settings.SEAMS["RELAY_USER"],
        password=settings.SEAMS["RELAY_PASSWORD"],
        connect_timeout=5,
        application_name="seams-relay",
        options="-c idle_in_transaction_session_timeout=4s -c lock_timeout=30s",
    )


def connect_as_relay(alias: str) -> "psycopg.Connection[Any]":
    """An ordinary connection with the relay's role, in autocommit."""
    return psycopg.connect(relay_conninfo(alias), autocommit=True)
