"""The subcommands around the service: demo, serve, migrate, keys. Mounted by `dispatch.cli`, which turns known errors into exit code 2."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatch.errors import BadInput, Fault
from dispatch.model.roles import ROLES, SCOPES

if TYPE_CHECKING:
    from dispatch.service.demo import Demo
    from dispatch.settings import Settings
    from dispatch.storage.database import Database, Session
    from dispatch.storage.registry import Registry
    from dispatch.storage.tables import Territory
    from dispatch.world import World
    from routing.network import RoadNetwork

DEMO_FOLDER = Path("var/demo")

keys_app = typer.Typer(help="API keys: who may do what over HTTP.", no_args_is_help=True)
Host = Annotated[str, typer.Option(help="Address to listen on; put a proxy with TLS before anything but this machine.")]
Port = Annotated[int, typer.Option(min=1, max=65535)]


def add_commands(app: typer.Typer) -> None:
    """Mount everything of this file."""
    app.command("demo")(demo_command)
    app.command("serve")(serve_command)
    app.command("worker")(worker_command)
    app.command("beat")(beat_command)
    app.command("sender")(sender_command)
    app.command("migrate")(migrate_command)
    app.add_typer(keys_app, name="keys")


def demo_command(
    once: Annotated[bool, typer.Option("--once", help="Stop after printing.")] = False,
    port: Port = 8000,
    folder: Annotated[Path, typer.Option(help="Where roads and database are kept between runs.")] = DEMO_FOLDER,
) -> None:
    """Make a fictional territory, plan its tomorrow, print what happened, serve the API."""
    from dispatch.logs import configure_logs
    from dispatch.service.demo import fill_demo
    from dispatch.settings import Settings
    from dispatch.storage.database import Database
    from dispatch.world import World

    configure_logs(quiet=True)
    screen, world = Console(), World()
    settings = Settings(
        database_url=f"sqlite:///{folder}/demo.sqlite3",
        roads=folder / "demo.roads",
        debounce_seconds=0.5,
        public_url=f"http://127.0.0.1:{port}",
        smtp_url=None,  # nobody here is real: nobody is written to
        sms_url=None,
    )
    network = demo_roads(folder)
    with Database.of(settings) as database:
        with Console(stderr=True).status("Territoire fictif, bénévoles et demandes de demain…") as status:
            database.migrate()
            demo = fill_demo(database, network, world)
            status.update("Planification (la première fois, la compilation prend une demi-minute)…")
            _show_round(screen, database, network, settings, demo, world)
        _print_keys(screen, folder, database, demo, world, port)
    if not once:
        screen.print(f"\nÀ essayer dans un navigateur · to try in a browser: http://127.0.0.1:{port}/", highlight=False)
        _serve(settings, "127.0.0.1", port, demo=True)


def serve_command(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the API and run rounds. Settings come from ALLONS_… variables (docs/settings.md)."""
    from dispatch.logs import configure_logs

    configure_logs()
    _serve(load_settings(), host, port)


def worker_command(
    queues: Annotated[str, typer.Option(help="Run the rounds of these groups of territories, separated by commas.")] = "rounds",
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Rounds at the same time; each takes one core.")] = 1,
) -> None:
    """Run rounds for an API on this or another machine (ALLONS_WORKERS=true there). Needs the same database, Redis and roads."""
    from dispatch.engine.celery_app import work
    from dispatch.logs import configure_logs

    configure_logs()
    settings = load_settings()
    missing = [name for name in ("roads", "redis_url") if getattr(settings, name) is None]
    if missing:
        raise BadInput([Fault(f"ALLONS_{name.upper()}", "missing", "a worker needs it") for name in missing])
    work(settings, tuple(name.strip() for name in queues.split(",") if name.strip()), at_once)


def beat_command() -> None:
    """See what is due and tell the workers, until stopped. An API does that by itself, unless ALLONS_PLANNER=false there."""
    import signal

    from dispatch.engine.bus import CHANGES, RedisBus
    from dispatch.engine.planner import Planner
    from dispatch.health import Health, listening
    from dispatch.logs import configure_logs
    from dispatch.storage.database import Database
    from dispatch.world import World

    configure_logs()
    settings = load_settings()
    if settings.redis_url is None or not settings.workers:
        raise BadInput([Fault("ALLONS_WORKERS", "missing", "a beat needs ALLONS_WORKERS=true and ALLONS_REDIS_URL")])
    with Database(settings.database_url) as database:
        database.check_ready()
        bus = RedisBus(settings.redis_url)
        database.announce = RedisBus(settings.redis_url, CHANGES).ring
        planner, health = Planner(database, None, bus, settings, World()), Health(database, bus)

        def stop(*_: object) -> None:
            health.stopping = True
            planner.ask_to_stop()

        signal.signal(signal.SIGTERM, stop)
        with listening(settings, health), suppress(KeyboardInterrupt):
            planner.run()


def sender_command() -> None:
    """Tell people and other systems what is to be told, until stopped. An API does that by itself, unless ALLONS_SENDER=false there."""
    import signal

    from dispatch.health import Health, listening
    from dispatch.logs import configure_logs
    from dispatch.notices.running import Senders
    from dispatch.storage.database import Database
    from dispatch.world import World

    configure_logs()
    settings = load_settings()
    with Database.of(settings) as database:
        database.check_ready()
        senders, health = Senders(database, settings, World()), Health(database)

        def stop(*_: object) -> None:
            health.stopping = True
            senders.ask_to_stop()

        signal.signal(signal.SIGTERM, stop)
        with listening(settings, health), suppress(KeyboardInterrupt):
            senders.run()


def migrate_command() -> None:
    """Make the database's tables, or bring them to this version."""
    from dispatch.storage.database import Database

    with Database.of(load_settings()) as database:
        database.migrate()
    Console().print("The tables are those of this version.")


@keys_app.command("add")
def add_key_command(
    role: Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")],
    territory: Annotated[str | None, typer.Option(help="The territory's name; an admin's key has none.")] = None,
    holder: Annotated[UUID | None, typer.Option(help="Id of the volunteer (driver) or beneficiary who holds the key.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="The key ends after so many days.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="Limits the key, such as people:read; may be given several times.")] = None,
) -> None:
    """Make a key. It is shown once and cannot be read again."""
    from dispatch.service.keys import make_key
    from dispatch.storage.registry import Registry
    from dispatch.storage.store import Store
    from dispatch.world import World

    if role not in ROLES:
        raise BadInput([Fault("--role", "unknown", f"must be one of {', '.join(ROLES)}")])
    limited = [known for known in SCOPES if known in scope] if scope else None
    if scope and len(limited or []) != len(set(scope)):
        raise BadInput([Fault("--scope", "unknown", f"must be one of {', '.join(SCOPES)}")])
    with writing() as session:
        registry = Registry(session)
        found = territory_called(registry, territory) if territory else None
        _, text = make_key(registry, role, Store(session, found.id) if found else None, holder, World(), days, limited)
    typer.echo(text)


@keys_app.command("list")
def list_keys_command() -> None:
    """Show keys without their secrets."""
    from dispatch.storage.registry import Registry

    table = Table("prefix", "role", "territory", "holder", "made", "ends", "revoked", "scopes")
    with writing() as session:
        registry = Registry(session)
        names = {row.id: row.name for row in registry.territories()}
        for key in registry.api_keys():
            place = names[key.territory_id] if key.territory_id else ""
            days = (f"{moment:%Y-%m-%d}" if moment else "" for moment in (key.created_at, key.expires_at, key.revoked_at))
            table.add_row(key.prefix, key.role, Text(place), str(key.holder_id or ""), *days, " ".join(key.scopes or ()))
    Console().print(table)


@keys_app.command("revoke")
def revoke_key_command(prefix: Annotated[str, typer.Argument(help="As shown by `allons keys list`.")]) -> None:
    """End a key at once."""
    from dispatch.storage.registry import Registry
    from dispatch.world import World

    with writing() as session:
        key = Registry(session).key(prefix)
        if key is None:
            raise BadInput([Fault("prefix", "unknown", "there is no such key; see `allons keys list`")])
        key.revoked_at = key.revoked_at or World().now()
    Console().print("The key is ended.")


def load_settings() -> "Settings":
    """From the environment. BadInput, without the value, for what is none."""
    from pydantic import ValidationError

    from dispatch.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        raise BadInput.from_validation(error, "settings (ALLONS_…)") from None


@contextmanager
def writing() -> Iterator["Session"]:
    """A writing transaction on the database of the settings, which is closed afterwards."""
    from dispatch.storage.database import Database

    with Database.of(load_settings()) as database:
        database.check_ready()
        with database.write() as session:
            yield session


def territory_called(registry: "Registry", name: str) -> "Territory":
    """A territory by its name; BadInput that lists those there are."""
    found = registry.territory_named(name)
    if found is None:
        known = ", ".join(row.name for row in registry.territories()) or "none yet"
        raise BadInput([Fault("--territory", "unknown", f"there is no territory of this name (there are: {known})")])
    return found


def _serve(settings: "Settings", host: str, port: int, *, demo: bool = False) -> None:
    """The HTTP room is above this one and is opened by name: dispatch knows no HTTP."""
    server: Any = importlib.import_module("api.server")
    Console(stderr=True).print(f"http://{host}:{port}/ (API: /docs)", highlight=False)
    server.serve(settings, host, port, demo=demo)


def demo_roads(folder: Path) -> "RoadNetwork":
    """The roads of the fictional territory, made where they are not there yet."""
    from routing.basemap import BaseMap, map_beside
    from routing.cli import build_map, build_places
    from routing.demo import make_demo_extract
    from routing.errors import BadMap, BadNetwork, BadPlaces
    from routing.network import build_network
    from routing.osm import load_extract
    from routing.places import LocalIndex, beside
    from routing.saved import load_network, save_network

    roads, extract = folder / "demo.roads", folder / "demo.osm.pbf"
    with Console(stderr=True).status("Routes…"), suppress(BadNetwork, BadPlaces, BadMap):
        LocalIndex(beside(roads)).close()
        BaseMap(map_beside(roads)).close()
        return load_network(roads, verify=True)
    with Console(stderr=True).status("Routes…"):  # not there yet, or of another version
        folder.mkdir(parents=True, exist_ok=True)
        make_demo_extract(extract)
        save_network(build_network(load_extract(extract)), roads)
    build_places(extract, roads)
    build_map(extract, roads)
    return load_network(roads)


def _show_round(screen: Console, database: "Database", network: "RoadNetwork", settings: "Settings", demo: "Demo", world: "World") -> None:
    """Let the planner take its turn, as it does in the service, and print the newest plan of the day."""
    from dispatch.engine.bus import LocalBus
    from dispatch.engine.planner import Planner
    from dispatch.model.plans import Plan
    from dispatch.report import print_plan
    from dispatch.storage.store import Store
    from dispatch.storage.tables import Round

    Planner(database, network, LocalBus(), settings, world).turn_and_wait()
    with database.read() as session:
        store = Store(session, demo.territory_id)
        rounds = [row for row in store.page(Round, None, 50, service_date=demo.date) if row.plan]
        note = store.territory().note
    if not rounds:
        raise BadInput([Fault(str(demo.date), "no_plan", "no round of this day has a plan yet; run the demo again")])
    print_plan(screen, Plan.model_validate(rounds[0].plan), {}, "fr", note, demo.names)


def _print_keys(screen: Console, folder: Path, database: "Database", demo: "Demo", world: "World", port: int) -> None:
    """Make a coordinator's key the first time, kept in a file only its owner reads; the demo's people are invented."""
    from dispatch.service.keys import make_key
    from dispatch.storage.registry import Registry
    from dispatch.storage.store import Store

    path = folder / "keys.env"
    if not path.exists():
        with database.write() as session:
            _, text = make_key(Registry(session), "coordinator", Store(session, demo.territory_id), None, world)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"ALLONS_KEY={text}\n")
    shown = f'source {path}; curl -H "Authorization: Bearer $ALLONS_KEY" http://127.0.0.1:{port}/v1/offers'
    screen.print(f"\nClé de coordination · coordinator's key: {path}\n{shown}", markup=False, highlight=False, soft_wrap=True)
