"""Racing claims: planners and coordinators want the same volunteers and legs at once. What do the guards refuse, what do they cost?

Each attempt is one transaction as the product makes it (role, territory, run, assignment); most of those that succeed are given up again a
little later, so that there is always something to win. The same attempts go to a database without the two guards and the wait
that belongs to them, in turn, block by block.
What the guards cost is measured on calm blocks, where everybody claims something else and all succeed on both databases.
Expected: no overlap and no doubled leg with the guards, many without; at most a quarter of the calm rate lost. 16 connections, one server.

Command: scripts/bench claims --attempts 100000 [--json OUT]
"""

import argparse
import json
import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from dispatch.model.intake import NewTerritory
from dispatch.service.people import make_territory
from dispatch.storage.database import Database
from dispatch.storage.registry import Registry
from dispatch.world import World
from tests.servers import postgis

PLANNERS, COORDINATORS, VOLUNTEERS, LEGS = 4, 12, 20, 400
CALM = PLANNERS + COORDINATORS  # volunteers and legs that only one connection claims
KEPT = 0.1  # of the claims that succeed; the others are given up again
#: All that the guards consist of: with the wait left in place, their cost would look smaller than it is.
GUARDS = "ALTER TABLE run DROP CONSTRAINT ex_run_overlap; DROP INDEX uq_assignment_active_leg; DROP TRIGGER a_wait_for_volunteer ON run"
OVERLAPS = """SELECT count(*) FROM run a JOIN run b ON a.volunteer_id = b.volunteer_id AND a.id < b.id
    AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at WHERE a.state = 'planned' AND b.state = 'planned'"""
DOUBLED = "SELECT count(*) FROM (SELECT FROM assignment WHERE active GROUP BY leg_id HAVING count(*) > 1) AS twice"


@dataclass
class Arena:
    """A database with people and legs to fight for, and what happened there."""

    url: str
    territory: UUID
    volunteers: list[UUID]
    legs: list[UUID]
    round_id: UUID
    outcomes: Counter[str] = field(default_factory=Counter)  # of the fights
    calm: Counter[str] = field(default_factory=Counter)  # of the calm blocks


def make_arena(server: str, name: str, *, guarded: bool) -> Arena:
    """A new database; without its guards on request."""
    plain = server.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    with Database(f"{server}/{name}") as database:
        database.migrate()
        with database.write() as session:
            territory = make_territory(Registry(session), NewTerritory(name="A"), World()).id
    arena = Arena(f"{plain}/{name}", territory, [uuid4() for _ in range(CALM + VOLUNTEERS)], [uuid4() for _ in range(CALM + LEGS)], uuid4())
    with psycopg.connect(arena.url, autocommit=True) as admin:
        person, point = uuid4(), "ST_SetSRID(ST_MakePoint(2, 46), 4326)"
        t = f"'{territory}'"
        rows = [f"INSERT INTO person (id, territory_id) VALUES ('{one}', {t})" for one in (person, *arena.volunteers)]
        rows += [
            f"INSERT INTO beneficiary (id, territory_id, home, wheelchair, boot, needs, alone, load_minutes, unload_minutes, created_at) "
            f"VALUES ('{person}', {t}, {point}, false, 0, '[]', false, 0, 0, now())",
            f"INSERT INTO round (id, territory_id, service_date, state, seconds, seed, queued_at) "
            f"VALUES ('{arena.round_id}', {t}, '2026-11-24', 'queued', 1, 1, now())",
        ]
        rows += [
            f"INSERT INTO volunteer (id, territory_id, home, seats, wheelchair_places, boot, accepts_needs, active, created_at) "
            f"VALUES ('{row}', {t}, {point}, 3, 0, 1, '[]', true, now())"
            for row in arena.volunteers
        ]
        for leg in arena.legs:
            request = uuid4()
            rows.append(
                "INSERT INTO trip_request (id, territory_id, beneficiary_id, service_date, origin, destination, arrive_by, window_minutes, "
                f"seats, priority, one_way_ok, same_driver, needs, state, created_at) VALUES ('{request}', {t}, '{person}', '2026-11-24', "
                f"{point}, {point}, now(), 30, 1, 1, false, 'prefer', '[]', 'submitted', now())"
            )
            rows.append(
                "INSERT INTO leg (id, territory_id, request_id, direction, state) "
                f"VALUES ('{leg}', {t}, '{request}', 'outbound', 'pending')"
            )
        aside = "SET session_replication_role = {}"  # rows as they are after a life of their own: their triggers would want all of it
        admin.execute("; ".join([aside.format("replica"), *rows, aside.format("origin")]))  # type: ignore[call-overload]
        if not guarded:
            admin.execute(GUARDS)
    return arena


def fight(arena: Arena, attempts: int, seed: int, *, calm: bool = False) -> float:
    """So many attempts from all connections at once; the seconds they took. Calm: nobody is in anybody's way."""
    gate, lock = threading.Barrier(PLANNERS + COORDINATORS + 1), threading.Lock()

    def one(number: int) -> None:
        rng, seen = random.Random(f"{seed} {number} {calm}"), Counter[str]()
        role = "allons_solver" if number < PLANNERS else "allons_app"
        with psycopg.connect(arena.url, autocommit=True) as connection:
            gate.wait()
            for _ in range(attempts // (PLANNERS + COORDINATORS)):
                seen[_attempt(connection, arena, role, rng, number if calm else None)] += 1
        with lock:
            (arena.calm if calm else arena.outcomes).update(seen)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(PLANNERS + COORDINATORS)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def _attempt(connection: psycopg.Connection, arena: Arena, role: str, rng: random.Random, place: int | None) -> str:
    """Claim a volunteer's time and a leg; give it up again most of the time. What came of it. `place`: what nobody else claims."""
    run, assignment, event = (UUID(int=rng.getrandbits(128), version=4) for _ in range(3))
    volunteer, leg = rng.choice(arena.volunteers[CALM:]), rng.choice(arena.legs[CALM:])
    begins = rng.randrange(24 * 60)
    if place is not None:
        volunteer, leg = arena.volunteers[place], arena.legs[place]
    span = f"'2026-11-24Z'::timestamptz + '{begins} min', '2026-11-24Z'::timestamptz + '{begins + rng.randrange(20, 90)} min'"
    t = f"'{arena.territory}'"
    begin = f"BEGIN; SET LOCAL ROLE {role}; SELECT set_config('allons.territory', {t}, true); "
    claim = (
        "INSERT INTO run (id, territory_id, volunteer_id, service_date, starts_at, ends_at, state) "
        f"VALUES ('{run}', {t}, '{volunteer}', '2026-11-24', {span}, 'planned'); "
        "INSERT INTO assignment (id, territory_id, leg_id, volunteer_id, round_id, run_id, told_pickup_at, pickup_at, dropoff_at, active) "
        f"VALUES ('{assignment}', {t}, '{leg}', '{volunteer}', '{arena.round_id}', '{run}', now(), now(), now(), true); COMMIT"
    )
    try:
        connection.execute(begin + claim)  # type: ignore[call-overload]
    except psycopg.Error as error:
        connection.execute("ROLLBACK")
        return error.sqlstate or "lost"
    if place is not None or rng.random() >= KEPT:
        give_up = (
            f"UPDATE assignment SET active = false WHERE id = '{assignment}'; "
            "INSERT INTO event (id, territory_id, kind, subject_id, seq, before, after, at) "
            f"VALUES ('{event}', {t}, 'run', '{run}', 1, 'planned', 'cancelled', now()); COMMIT"
        )
        connection.execute(begin + give_up)  # type: ignore[call-overload]
    return "won"


def harm(arena: Arena) -> dict[str, int]:
    """Overlapping runs of one volunteer, and legs with two active assignments."""
    with psycopg.connect(arena.url) as connection:
        counts = [connection.execute(query).fetchone() for query in (OVERLAPS, DOUBLED)]
    return {name: int(row[0]) if row else -1 for name, row in zip(("overlaps", "doubled"), counts, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--block", type=int, default=4_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with postgis() as server:
        arenas = {name: make_arena(server, name, guarded=name == "guarded") for name in ("guarded", "unguarded")}
        ratios = []
        for block in range(max(1, options.attempts // options.block)):
            calm = {name: fight(arena, options.block // 2, block, calm=True) for name, arena in arenas.items()}
            ratios.append(calm["unguarded"] / calm["guarded"])
            for arena in arenas.values():
                fight(arena, options.block, block)
        found = {name: {**arena.outcomes, "calm": dict(arena.calm), **harm(arena)} for name, arena in arenas.items()}
    result = {"attempts": options.attempts, "rate_with_guards": round(statistics.median(ratios), 3), **found}
    print(json.dumps(result, indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
