"""One round, from the open requests of a day to offers: the conductor.

In: a queued round. Out: True when the day should be planned again. Called by `engine.planner` and the demo.
"""

from uuid import UUID

import structlog

from dispatch.engine.plan_day import plan_day
from dispatch.errors import Conflict, DispatchError
from dispatch.planning.solve import SolveParams
from dispatch.service.rounds import OVERTAKEN, claim_round, fail_round, save_round
from dispatch.storage.database import Database
from dispatch.storage.store import Store
from dispatch.world import World
from routing.errors import RoutingError
from routing.matrix import RoadTimes
from routing.network import RoadNetwork

log = structlog.get_logger()


def run_round(
    database: Database,
    network: RoadNetwork,
    territory_id: UUID,
    round_id: UUID,
    offer_minutes: int,
    world: World,
    road_times: RoadTimes | None = None,
) -> bool:
    """Snapshot, plan, prove, save. A plan that breaks a rule, or a failed solve, is kept as such and sends nothing.

    The snapshot's transaction is closed before solving; saving is a second one, which leaves alone what changed in between.
    Conflict when another planner took the round first.
    """
    with database.write() as session:
        snapshot = claim_round(Store(session, territory_id), round_id, world)
    try:
        planned = plan_day(snapshot.day, network, SolveParams(seconds=snapshot.seconds, seed=snapshot.seed), road_times)
    except (DispatchError, RoutingError) as error:
        return _give_up(database, territory_id, round_id, error.code, world)
    except Exception:
        _give_up(database, territory_id, round_id, "error", world)
        raise
    if planned.violations:
        with database.write() as session:
            fail_round(Store(session, territory_id), round_id, "plan_rejected", world, planned.plan)
        log.error("round", round=str(round_id), ended="plan_rejected", violations=[v.code for v in planned.violations][:20])
        return False
    try:
        with database.write() as session:
            again = save_round(Store(session, territory_id), snapshot, planned.plan, offer_minutes, world)
    except Conflict:  # somebody answered at this very moment; the next sweep plans the day again
        return _give_up(database, territory_id, round_id, OVERTAKEN, world)
    summary = planned.plan.summary
    log.info("round", round=str(round_id), ended=planned.ended, legs=summary.legs, served=summary.served, again=again)
    return again


def _give_up(database: Database, territory_id: UUID, round_id: UUID, why: str, world: World) -> bool:
    with database.write() as session:
        fail_round(Store(session, territory_id), round_id, why, world)
    log.error("round", round=str(round_id), ended=why)
    return False
