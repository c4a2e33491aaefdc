"""The database's own clock in SQL, for both databases: leases and deadlines do not depend on the clocks of the machines that ask.

Called by `storage.rounds`.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from dispatch.storage.geometry import Instant
from dispatch.world import World


def present(world: World) -> sa.ColumnElement[datetime]:
    """The present by the database's clock; a simulated world has its own."""
    return sa.literal(world.now(), Instant()) if world.simulated else database_now()


class database_now(FunctionElement[datetime]):  # noqa: N801 - a function of SQL
    """The present instant by the database's own clock, as `Instant` columns hold it."""

    type = Instant()
    inherit_cache = True


@compiles(database_now, "postgresql")
def _postgresql_instant(*_: object, **__: object) -> str:
    return "clock_timestamp()"


@compiles(database_now, "sqlite")
def _sqlite_instant(*_: object, **__: object) -> str:
    return "strftime('%Y-%m-%d %H:%M:%f', 'now')"


class unix_now(FunctionElement[float]):  # noqa: N801 - a function of SQL
    """Seconds since 1970 by the database's own clock, so that leases do not depend on the workers' clocks."""

    type = sa.Double()
    inherit_cache = True


@compiles(unix_now, "postgresql")
def _postgresql_now(*_: object, **__: object) -> str:
    return "extract(epoch from clock_timestamp())"


@compiles(unix_now, "sqlite")
def _sqlite_now(*_: object, **__: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"
