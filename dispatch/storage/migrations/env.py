"""Alembic's entry: the connection comes from `storage.database`, never from a file."""

from typing import Any

from alembic import context

from dispatch.storage import accounts, log, store  # noqa: F401 # all tables are known then
from dispatch.storage.base import Table


def _ours(_object: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """PostGIS keeps tables of its own beside ours."""
    return not (kind == "table" and reflected and name not in Table.metadata.tables)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    include_object=_ours,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
