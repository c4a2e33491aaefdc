"""The subcommands for whoever answers for the data: `allons audit`, `vault`, `backup`, `restore`. Mounted by `dispatch.cli`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dispatch.cli_service import load_settings
from dispatch.errors import BadInput, Fault

if TYPE_CHECKING:
    from dispatch.storage.database import Database
    from dispatch.storage.tables import Territory

audit_app = typer.Typer(help="The log of what happened: prove that nobody has rewritten it.", no_args_is_help=True)
vault_app = typer.Typer(help="The key that seals names and phones.", no_args_is_help=True)


@audit_app.command("verify")
def verify_command() -> None:
    """Compute every digest anew. Names the rows that are not as they were written, and ends with 1 then."""
    from dispatch.storage.store import Store

    wrong = 0
    with _database() as (database, territories):
        for territory in territories:
            with database.read() as session:
                store = Store(session, territory.id)
                for fault in store.log_faults():
                    wrong += 1
                    typer.echo(f"{territory.id} {fault.table} {fault.row}: {fault.sentence}")
                head = store.head()
                typer.echo(f"{territory.id} seals: {head.number if head else 0}")
    if wrong:
        typer.echo(f"{wrong} rows are wrong: somebody has changed the log, or the disk has.")
        raise typer.Exit(1)
    typer.echo("Every row is as it was written.")


@audit_app.command("head")
def head_command() -> None:
    """Seal what is new and print the newest seal of each territory: keep the lines outside, a day's line proves all days before it."""
    from dispatch.storage.store import Store
    from dispatch.world import World

    with _database() as (database, territories):
        for territory in territories:
            with database.write() as session:
                store = Store(session, territory.id)
                store.seal(World())
                if head := store.head():
                    typer.echo(f"{territory.id} {head.number} {head.at:%Y-%m-%dT%H:%M:%SZ} {head.digest}")


@vault_app.command("new-key")
def new_vault_key_command() -> None:
    """Print a new key for ALLONS_VAULT_KEY. Whoever loses it loses every name: keep it twice, and apart from the database."""
    from dispatch.storage.vault import new_master_key

    typer.echo(new_master_key())


def backup_command(folder: Annotated[Path, typer.Option(help="Where the two files are written.")]) -> None:
    """Back a SQLite database up: the data of today, and the people's keys, of which only the newest are kept. The service may run."""
    from dispatch.storage.backup import back_up
    from dispatch.world import World

    for path in back_up(_sqlite_file(), folder, World().now().strftime("%Y-%m-%d")):
        typer.echo(path)


def restore_command(
    data: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="allons-….sqlite3, of any day.")],
    keys: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="keys.json, the newest there is.")],
) -> None:
    """Make the SQLite database of ALLONS_DATABASE_URL from a backup. Who was erased since stays erased."""
    from dispatch.service.privacy import erase_after_restore
    from dispatch.storage.backup import restore
    from dispatch.storage.store import Store
    from dispatch.world import World

    try:
        restore(data, keys, _sqlite_file())
    except FileExistsError:
        raise BadInput([Fault("ALLONS_DATABASE_URL", "taken", "there is a database already: move it away first")]) from None
    erased = 0
    with _database(migrate=True) as (database, territories):
        for territory in territories:
            with database.write() as session:
                erased += erase_after_restore(Store(session, territory.id), World())
    typer.echo(f"Restored. Erased anew: {erased}.")


def add_audit_commands(app: typer.Typer) -> None:
    """Mount everything of this file."""
    app.add_typer(audit_app, name="audit")
    app.add_typer(vault_app, name="vault")
    app.command("backup")(backup_command)
    app.command("restore")(restore_command)


@contextmanager
def _database(*, migrate: bool = False) -> "Iterator[tuple[Database, list[Territory]]]":
    """Of the settings, without the vault: none of this needs a name."""
    from dispatch.storage.database import Database
    from dispatch.storage.registry import Registry

    with Database(load_settings().database_url) as database:
        if migrate:
            database.migrate()
        database.check_ready()
        with database.read() as session:
            territories = list(Registry(session).territories())
        yield database, territories


def _sqlite_file() -> Path:
    url = load_settings().database_url
    if not url.startswith("sqlite:///"):
        raise BadInput([Fault("ALLONS_DATABASE_URL", "other", "this is for SQLite; for PostgreSQL see docs/backups.md")])
    return Path(url.removeprefix("sqlite:///"))
