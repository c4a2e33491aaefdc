"""One round, from the open requests of a day to offers: the conductor.

In: a queued round, or one whose worker is lost. Out: True when the day should be planned again. Called by `engine.planner`, by the workers
of `engine.celery_app`, and the demo.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog

from dispatch.engine.plan_day import plan_day
from dispatch.engine.pool import Children, Left
from dispatch.errors import Conflict, DispatchError
from dispatch.metrics import ROUND_SECONDS, ROUNDS, WAYS
from dispatch.model.plans import Plan
from dispatch.planning.solve import SolveParams
from dispatch.service.rounds import OVERTAKEN, Claim, claim_round, fail_round, load_day, save_round
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.world import World
from routing.errors import RoutingError
from routing.matrix import RoadTimes
from routing.network import RoadNetwork

log = structlog.get_logger()
LEASE_S = 15.0  # a worker that was not heard of for so long is lost
BEAT_S = LEASE_S / 3
MOST_ATTEMPTS = 3  # a round that took its worker down so often is given up


def run_round(
    database: Database,
    network: RoadNetwork,
    territory_id: UUID,
    round_id: UUID,
    offer_minutes: int,
    world: World,
    road_times: RoadTimes | None = None,
    children: Children | None = None,
    iterations: int | None = None,
) -> bool:
    """Claim, snapshot, plan, prove, save. A plan that breaks a rule, or a failed solve, is kept as such and sends nothing.

    The claim is committed before the snapshot is made, and the snapshot's transaction closed before solving; saving is a third one, which
    leaves alone what changed in between, and which comes to nothing when another worker has taken the round over. Conflict when somebody
    else has the round. When `children` are ended meanwhile, the lease is given back, and the round is somebody else's to take over.
    """
    with database.write("solver") as session:
        claim = claim_round(Store(session, territory_id), round_id, world, LEASE_S)

    began = time.monotonic()

    def ended(how: str) -> None:
        ROUNDS.labels(how).inc()
        ROUND_SECONDS.observe(time.monotonic() - began)

    def give_up(why: str, plan: Plan | None = None) -> bool:
        with database.write("solver") as session:
            fail_round(Store(session, territory_id), round_id, claim.token, why, world, plan)
        ended(why)
        log.error("round", round=str(round_id), ended=why)
        return False

    if claim.attempts > MOST_ATTEMPTS:
        return give_up("poison")
    try:
        with _beating(database, claim):
            with database.read("solver") as session:
                snapshot = load_day(Store(session, territory_id), claim, world)
            budget = SolveParams(seconds=snapshot.seconds, seed=snapshot.seed, iterations=iterations)
            planned = plan_day(snapshot.day, network, budget, road_times, children)
    except Left:
        with database.write("solver") as session:
            Store(session, territory_id).hold_round(round_id, claim.token, 0.0)
        ended("left")
        log.warning("round", round=str(round_id), ended="left")
        return False
    except (DispatchError, RoutingError) as error:
        return give_up(error.code)
    except Exception:
        give_up("error")
        raise
    if planned.violations:
        log.error("round", round=str(round_id), violations=[v.code for v in planned.violations][:20])
        return give_up("plan_rejected", planned.plan)
    try:
        with database.write("solver") as session:
            again = save_round(Store(session, territory_id), snapshot, planned.plan, offer_minutes, world)
    except Conflict:  # somebody answered at this very moment; the next sweep plans the day again
        return give_up(OVERTAKEN)
    summary = planned.plan.summary
    ended(planned.ended)
    WAYS.labels("served").inc(summary.served)
    WAYS.labels("unserved").inc(summary.legs - summary.served)
    log.info("round", round=str(round_id), ended=planned.ended, legs=summary.legs, served=summary.served, again=again)
    return again


@contextmanager
def _beating(database: Database, claim: Claim) -> Iterator[None]:
    """Renew the lease while something takes long. A lease that is lost is noticed when the result is saved."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_S):
            try:
                with database.write("solver") as session:
                    Store(session, claim.territory_id).hold_round(claim.round_id, claim.token, LEASE_S)
            except Conflict:
                return
            except Exception as error:  # such as a database that is away: the next beat may come in time
                log.warning("heartbeat", round=str(claim.round_id), kind=getattr(error, "code", type(error).__name__))

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
