"""The conductor of a simulated month: a platform is set up, thirty days are lived through, and what became of everybody is looked at.

In: roads and wishes. Out: the month's figures, the same for the same wishes. Called by `allons simulate` and by tests.
"""

import datetime as dt
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from api.simulation.answering import Answering
from api.simulation.asking import Asking
from api.simulation.driving import Calling, Driving
from api.simulation.eligible import Eligible
from api.simulation.judge import complaints_of, figures_of
from api.simulation.people import settle
from api.simulation.recurring import Recurring
from api.simulation.service import Service
from api.simulation.stage import Stage, Wishes
from api.simulation.troubles import BLOCKING, Troubles
from dispatch.service.keys import make_key
from dispatch.settings import Settings
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.storage.store import Store
from dispatch.storage.vault import Vault
from dispatch.world import FixedWorld
from routing.network import RoadNetwork

TIMEZONE = "Europe/Paris"
ITERATIONS = 300  # of a round: what is looked at is not the plans, but what becomes of people
GIVEN_AHEAD = 10  # days for which volunteers say when they are free
_KEY = bytes(range(32))  # of a vault that is thrown away with its database
_TURNS = [f"{hour:02}:{minute:02}" for hour in range(6, 23) for minute in (5, 35)]  # besides whenever somebody rings


def simulate(network: RoadNetwork, wishes: Wishes, watch: Callable[[dt.date], None] = lambda _: None) -> dict[str, Any]:
    """Play a month. `watch` is told every evening. What does not hold is under `complaints`, which should be empty."""
    world = FixedWorld(dt.datetime.combine(wishes.start, dt.time(4), dt.UTC), wishes.seed)
    with tempfile.TemporaryDirectory() as folder, Database(f"sqlite:///{Path(folder) / 'month.sqlite3'}", Vault(_KEY)) as database:
        database.migrate()
        chosen = Settings(planner=False, round_iterations=ITERATIONS, calls_per_minute=1_000_000, debounce_seconds=0.0)
        with Service(database, network, world, chosen).running() as service:
            stage, territory = _set_up(service, database, wishes)
            _live(stage, database, territory, network, watch)
            return figures_of(stage, database, territory)


def _set_up(service: Service, database: Database, wishes: Wishes) -> tuple[Stage, UUID]:
    """A territory, its manager, and the keys of everybody who works there."""

    def first_key(role: Any, territory_id: UUID | None = None) -> str:
        """As `allons keys add` makes it: somebody has to be the first."""
        with database.write() as session:
            store = None if territory_id is None else Store(session, territory_id)
            return make_key(Registry(session), role, store, None, service.world)[1]

    rules = {"credentials": BLOCKING, "eligibility": {"rule": "asked"}}
    new = {"name": "Pays simulé", "timezone": TIMEZONE, "timetable": [{"at": "17:00", "ahead": 1}], "rules": rules}
    territory = UUID(service.caller(first_key("admin")).make("/v1/territories", new)["id"])
    manager = service.caller(first_key("manager", territory))
    callers = {role: service.caller(manager.make("/v1/keys", {"role": role})["text"]) for role in ("coordinator", "prescriber", "partner")}
    callers["manager"] = manager
    stage = Stage(service, wishes, TIMEZONE, random.Random(wishes.seed), callers["coordinator"], callers)
    return stage, territory


def _live(stage: Stage, database: Database, territory: UUID, network: RoadNetwork, watch: Callable[[dt.date], None]) -> None:
    """Day after day, and what is still open after the last one."""
    people = settle(stage, network)
    eligible = Eligible(stage)
    asking, answering = Asking(stage, people, eligible), Answering(stage, people)
    driving, calling, troubles = Driving(stage), Calling(stage, eligible), Troubles(stage, people)
    eligible.write_all([who.id for who in people.residents])
    troubles.file_papers()
    Recurring(stage, people, asking).begin()
    stage.after_turn += [answering.look, driving.look]
    for ahead in range(GIVEN_AHEAD):
        answering.say_when(stage.wishes.start + dt.timedelta(days=ahead))
    for number in range(stage.wishes.days):
        day = stage.wishes.start + dt.timedelta(days=number)
        answering.say_when(day + dt.timedelta(days=GIVEN_AHEAD))
        asking.begin_day(day)
        troubles.begin_day(day)
        for clock in _TURNS:
            stage.plan(stage.at(day, clock), stage.turn)
            stage.plan(stage.at(day, clock) + dt.timedelta(minutes=1), calling.look)
        stage.play(stage.at(day, "23:45"))
        stage.complaints += [f"{day}: {sentence}" for sentence in complaints_of(stage, database, territory, day)]
        watch(day)
