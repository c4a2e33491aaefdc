"""Backups of a SQLite database: the data with their day in the name, and the people's keys apart from them, always the newest only.

In: the database's file. Out: two files in a folder. Whoever was erased since a backup was made is not in what it gives back, since the
newest keys do not open them. (PostgreSQL has pg_dump for it: docs/backups.md.) Called by the command line.
"""

import json
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

KEYS = "keys.json"
#: Tables whose rows are not in the data's file: keys, what was answered in the last two days, and what lets somebody in without a password
#: (restored, a login that was ended would go on, and a link that was used would open again).
_APART = ("person_key", "reply", "login", "one_time_link")


def back_up(database: Path, folder: Path, day: str) -> tuple[Path, Path]:
    """Write data and keys. A backup of the same day is replaced. The service may go on meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    data, keys = folder / f"allons-{day}.sqlite3", folder / KEYS
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.close(descriptor)
    draft = Path(name)
    with closing(sqlite3.connect(database, isolation_level=None)) as source, closing(sqlite3.connect(draft)) as copy:
        source.backup(copy)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            rows = copy.execute("SELECT person_id, territory_id, hex(wrapped), erased_at FROM person_key ORDER BY person_id").fetchall()
            _empty(copy)
        draft.replace(data)
    finally:
        draft.unlink(missing_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        json.dump(rows, out)
    Path(name).replace(keys)
    return data, keys


def restore(data: Path, keys: Path, database: Path) -> None:
    """Make a database of both. FileExistsError when there is one."""
    descriptor = os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(descriptor)
    with closing(sqlite3.connect(data)) as source, closing(sqlite3.connect(database, isolation_level=None)) as copy:
        source.backup(copy)
        rows = json.loads(keys.read_text(encoding="ascii"))
        territory: list[str] = [""]
        copy.create_function("acting_territory", 0, lambda: territory[0])
        for person_id, territory_id, wrapped, erased_at in rows:
            territory[0] = territory_id
            values = (person_id, territory_id, bytes.fromhex(wrapped) or None, erased_at)
            copy.execute("INSERT INTO person_key (person_id, territory_id, wrapped, erased_at) VALUES (?, ?, ?, ?)", values)


def _empty(copy: sqlite3.Connection) -> None:
    """Without the triggers, which would refuse; then nothing of the rows is left in free pages either."""
    marks = ", ".join("?" * len(_APART))
    triggers = copy.execute(f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ({marks})", _APART).fetchall()  # noqa: S608
    copy.execute("BEGIN")
    for name, _ in triggers:
        copy.execute(f"DROP TRIGGER {name}")
    for table in _APART:
        copy.execute(f"DELETE FROM {table}")  # noqa: S608 # names from the tuple above
    for _, made in triggers:
        copy.execute(made)
    copy.execute("COMMIT")
    copy.execute("VACUUM")
