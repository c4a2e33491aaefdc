"""Why nobody drives a leg: each volunteer's first blocking rule, counted, and one sentence in French and English.

In: a problem and the routes of the final plan. Out: one `Unserved` per leg without a volunteer. Called by `dispatch.engine.plan_day`.
Rules are tried in the order of `Reason`; the leg's reason is the last rule that any volunteer got to, because lifting it is
what comes nearest to serving the person. Every verdict is an exact insertion, not a guess from the window alone.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from dispatch.model.plans import Reason, Unserved
from dispatch.planning.insertion import NO_PLACE, Routes, best_insertion, insert, keep, load_routes, make_routes, undo
from dispatch.planning.problem import NO_LIMIT, UNREACHABLE, Arrays, Problem

_ORDER = list(Reason)


def explain_unserved(problem: Problem, routes: Sequence[Sequence[int]], only: Collection[int] | None = None) -> list[Unserved]:
    """Give every unserved leg its reason.

    Parameters
    ----------
    problem : Problem
    routes : sequence of routes
        Stops per shift of the final plan.
    only : collection of legs, optional
        Whoever asks about some, both ways of each request, is not kept waiting for the reasons of the others.

    Returns
    -------
    list of Unserved
        In the order of legs. O(unserved x shifts) insertions.
    """
    p = problem.arrays
    served = {stop // 2 for route in routes for stop in route}
    absent = [leg for leg in (range(len(problem.legs)) if only is None else sorted(only)) if leg not in served]
    if not absent:
        return []
    present = make_routes(p)
    load_routes(p, present, routes)
    blocked = {leg: _blocked(problem, present, leg) for leg in absent}
    return [_explain(problem, present, leg, blocked) for leg in absent]


def _blocked(problem: Problem, present: Routes, leg: int) -> Counter[Reason]:
    """How many volunteers each rule rules out for this leg."""
    p = problem.arrays
    if p.direct[leg] >= UNREACHABLE:
        return Counter({Reason.UNREACHABLE: len(problem.drivers)})
    shifts_of: dict[int, list[int]] = {d: [] for d in range(len(problem.drivers))}
    for shift, driver in enumerate(p.shift_driver):
        shifts_of[int(driver)].append(shift)
    return Counter(rule_for(problem, present, leg, driver, shifts) for driver, shifts in shifts_of.items())


def rule_for(problem: Problem, present: Routes, leg: int, driver: int, shifts: list[int]) -> Reason:
    """The first rule that keeps this volunteer from this leg; TIME_LIMIT where none does."""
    p = problem.arrays
    if problem.refused[leg, driver]:
        return Reason.REFUSED_PAIR
    if problem.unmet_needs[leg, driver]:
        return Reason.NEEDS_UNMET
    if (p.demand[leg] > p.capacity[driver]).any():
        return Reason.CAPACITY
    if not p.allowed[leg, driver]:  # locked to another volunteer
        return Reason.NO_DRIVER_WINDOW
    empty = make_routes(p)
    if not _fits(p, empty, leg, shifts):
        if p.direct[leg] > p.ride_limit[leg]:
            return Reason.RIDE_TIME
        far = p._replace(max_metres=np.full_like(p.max_metres, NO_LIMIT), max_rides=np.full_like(p.max_rides, NO_LIMIT))
        return Reason.TOO_FAR if _fits(far, empty, leg, shifts) else Reason.NO_DRIVER_WINDOW
    return _rule_beside_others(p, present, leg, shifts)


def _rule_beside_others(p: Arrays, present: Routes, leg: int, shifts: list[int]) -> Reason:
    """The rule that keeps a volunteer who could drive this leg alone from driving it beside the present run."""
    if _fits(p, present, leg, shifts):
        return Reason.TIME_LIMIT
    relaxed: dict[Reason, dict[str, Any]] = {
        Reason.CAPACITY: {"capacity": np.full_like(p.capacity, NO_LIMIT), "alone": np.zeros_like(p.alone)},
        Reason.TOO_FAR: {"max_metres": np.full_like(p.max_metres, NO_LIMIT), "max_rides": np.full_like(p.max_rides, NO_LIMIT)},
        Reason.RIDE_TIME: {"ride_limit": np.full_like(p.ride_limit, NO_LIMIT)},
    }
    for reason, arrays in relaxed.items():
        routes = _with_room_beside_anybody(present) if reason == Reason.CAPACITY else present
        if _fits(p._replace(**arrays), routes, leg, shifts):
            return reason
    return Reason.NO_DRIVER_WINDOW


def _with_room_beside_anybody(routes: Routes) -> Routes:
    """As if nobody aboard had to ride alone."""
    aboard = routes.aboard.copy()
    aboard[:, :, 4] = 0
    return routes._replace(aboard=aboard)


def _fits(p: Arrays, routes: Routes, leg: int, shifts: list[int]) -> bool:
    return any(best_insertion(p, routes, leg, shift)[0] < NO_PLACE for shift in shifts)


def _explain(problem: Problem, present: Routes, leg: int, blocked: dict[int, Counter[Reason]]) -> Unserved:
    """The leg's own reason, or its other way's where that is what is missing."""
    p = problem.arrays
    partner = int(p.partner[leg])
    counts = blocked[leg]
    reason = _main(counts)
    because_of_other = False
    if p.both_or_none[leg] and partner in blocked and reason in (Reason.TIME_LIMIT, Reason.NO_DRIVER_WINDOW, Reason.CAPACITY):
        other = _main(_beside(problem, present, leg, partner) or blocked[partner])
        if reason == Reason.TIME_LIMIT or _ORDER.index(other) < _ORDER.index(reason):
            reason, because_of_other = other, True
    fr, en = _sentence(reason, counts[reason] if not because_of_other else blocked[partner][reason])
    name = problem.legs[leg]
    if because_of_other:
        fr_way, en_way = ("Le retour", "The way back") if name.direction == "outbound" else ("L'aller", "The way there")
        fr, en = f"{fr_way} manque : {fr[0].lower()}{fr[1:]}", f"{en_way} is missing: {en[0].lower()}{en[1:]}"
    return Unserved(
        id=name.id,
        request=name.request,
        leg=name.direction,
        reason=reason,
        sentence=fr,
        sentence_en=en,
        blocked={rule: counts[rule] for rule in _ORDER if counts[rule] and rule in _ORDER[: _ORDER.index(reason) + 1]},
    )


def _beside(problem: Problem, present: Routes, leg: int, partner: int) -> Counter[Reason] | None:
    """What blocks the other way once this one is in the plan; None when this one has no place."""
    p = problem.arrays
    prices = [(best_insertion(p, present, leg, shift), shift) for shift in range(len(p.shift_driver))]
    if not prices:
        return None
    (price, i, j), shift = min(prices)
    if price == NO_PLACE:
        return None
    keep(present)
    insert(p, present, leg, shift, i, j)
    counts = _blocked(problem, present, partner)
    undo(p, present)
    return counts


def _main(counts: Counter[Reason]) -> Reason:
    """The last rule in order that stopped anybody; nobody at all means no volunteer is there."""
    return max(counts, key=_ORDER.index, default=Reason.NO_DRIVER_WINDOW)


def _nobody_free(n: int) -> tuple[str, str]:
    if n == 0:
        return "Aucun bénévole n'est libre à cette heure.", "No volunteer is free at this time."
    if n == 1:
        return "Le seul bénévole qui convient n'est pas libre à cette heure.", "The only volunteer who fits is not free at this time."
    french = f"Aucun des {n} bénévoles qui conviennent n'est libre à cette heure."
    return french, f"None of the {n} volunteers who fit is free at this time."


def _sentence(reason: Reason, n: int) -> tuple[str, str]:
    """French and English, with how near it was: n volunteers met every earlier rule."""
    sentences = {
        Reason.UNREACHABLE: ("L'adresse n'est pas accessible en voiture.", "The address cannot be reached by car."),
        Reason.REFUSED_PAIR: (
            "Aucun bénévole ne peut être proposé : refus d'un côté ou de l'autre.",
            "No volunteer can be asked: one side or the other has refused.",
        ),
        Reason.NEEDS_UNMET: (
            "Aucune voiture ni aucun bénévole de ce jour ne répond aux besoins de la personne.",
            "No car and no volunteer of this day meets the person's needs.",
        ),
        Reason.CAPACITY: ("Il manque une place dans la voiture.", "One place too few in the car."),
        Reason.TOO_FAR: (
            "Le trajet dépasse les kilomètres ou le nombre de trajets que les bénévoles disponibles acceptent.",
            "The ride is beyond the kilometres or the number of rides that the available volunteers accept.",
        ),
        Reason.NO_DRIVER_WINDOW: _nobody_free(n),
        Reason.RIDE_TIME: ("Partager ce trajet le rendrait trop long.", "Sharing this ride would make it too long."),
        Reason.TIME_LIMIT: (
            "Une solution existe sans doute : relancez la planification avec plus de temps.",
            "There probably is a solution: run the planning again with more time.",
        ),
    }
    return sentences[reason]
