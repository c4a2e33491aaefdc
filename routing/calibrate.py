"""How much slower than the table people really drive: a factor for each class of road, fitted to observed trips.

In: a network, and a CSV of trips (`from_lon,from_lat,to_lon,to_lat,seconds`). Out: a network with other durations, and the error before and
after, on trips that the fit did not see. Called by `allons roads calibrate`.
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from routing.errors import BadTrips
from routing.network import NO_WAY, RoadNetwork
from routing.osm import CLASSES
from routing.route import find_legs
from routing.snap import Snapped, snap
from routing.steps import split

Array = npt.NDArray[Any]
COLUMNS = ("from_lon", "from_lat", "to_lon", "to_lat", "seconds")
_FEWEST = 20  # trips: below, a fit says nothing
_ROUNDS = 3  # other durations make other fastest ways
_LOWEST, _HIGHEST = 0.5, 4.0
_PULL = 0.3  # towards 1, as strong as so many trips that are wholly on one class: a class that is hardly driven keeps the table's speed
_LONGEST_S = 6 * 3600
_HELD_OUT = 5  # every fifth trip judges and is not fitted to
#: Roads that are fitted together: slip roads with their road.
GROUPS = tuple(dict.fromkeys(name.removesuffix("_link") for name in CLASSES))
_GROUP = np.array([GROUPS.index(name.removesuffix("_link")) for name in CLASSES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """How far the network's times are from the observed ones, as shares of these."""

    trips: int
    bias: float  # mean; negative: the network is too fast
    typical: float  # median of the absolute values


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was found."""

    network: RoadNetwork
    factors: dict[str, float]  # by group: durations are multiplied by it
    share: dict[str, float]  # by group: of all driving time of the trips
    before: Error  # on the trips held out
    after: Error
    left_out: dict[str, int]  # trips by the reason


def read_trips(path: Path) -> npt.NDArray[np.float64]:
    """float64[n, 5]: longitude and latitude of start and goal, seconds. BadTrips names the file, the line and the column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = list(csv.DictReader(file, delimiter=";" if ";" in first else ","))
    except FileNotFoundError:
        raise BadTrips(f"{path.name}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BadTrips(f"{path.name}: cannot be read as a CSV file in UTF-8.") from None
    missing = [name for name in COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise BadTrips(f"{path.name}: no trips, or no column {', '.join(missing)}; the first line must name {', '.join(COLUMNS)}.")
    trips = np.empty((len(rows), len(COLUMNS)))
    for k, row in enumerate(rows):
        for column, name in enumerate(COLUMNS):
            try:
                trips[k, column] = float(row[name])
            except (TypeError, ValueError):
                trips[k, column] = np.nan
            low, high = {"lon": (-180.0, 180.0), "lat": (-90.0, 90.0), "onds": (1.0, 7 * 86_400.0)}[name[-4:].removeprefix("_")]
            if not low <= trips[k, column] <= high:
                raise BadTrips(f"{path.name}, line {k + 2}: {name} must be a number between {low:g} and {high:g}.")
    return trips


def calibrate(network: RoadNetwork, trips: npt.NDArray[np.float64]) -> Calibration:
    """Fit a factor per class of road.

    Parameters
    ----------
    network : RoadNetwork
    trips : float64[n, 5]
        As from `read_trips`.

    Returns
    -------
    Calibration
        Three contractions of the network and 3 n routes.

    Raises
    ------
    BadTrips
        Fewer than 20 trips can be driven on this network.

    Notes
    -----
    Least squares of the relative error with a soft L1 loss (a stop on the way must not bend the roads) and a pull towards 1; turn costs
    and traffic lights' share of a road stay as they are.
    """
    starts, goals = snap(network, trips[:, :2]), snap(network, trips[:, 2:4])
    seconds = trips[:, 4]
    times, turns = _driven(network, starts, goals)
    expected = times.sum(axis=1) + turns
    reasons = {
        "far from every road": (starts.edge < 0) | (goals.edge < 0),
        "no way between the ends": np.isnan(expected),
        "shorter than a minute": (seconds < 60) | (expected < 30),
        "longer than six hours": seconds > _LONGEST_S,
        "more than four times slower or faster": np.abs(np.log(np.maximum(expected, 1e-9) / seconds)) > np.log(4),
    }
    left = np.zeros(len(trips), np.bool_)
    left_out: dict[str, int] = {}
    for reason, hit in reasons.items():
        if (hit & ~left).any():
            left_out[reason] = int((hit & ~left).sum())
        left |= hit
    kept = np.nonzero(~left)[0]
    if len(kept) < _FEWEST:
        raise BadTrips(f"{len(kept)} of {len(trips)} trips can be used; at least {_FEWEST} are needed.")
    judging = np.arange(len(kept)) % _HELD_OUT == _HELD_OUT - 1
    fitted, judges = kept[~judging], kept[judging]
    share = np.nansum(times[kept], axis=0)
    factors, found = np.ones(len(GROUPS)), network
    for _ in range(_ROUNDS):
        factors *= _fit(times[fitted], turns[fitted], seconds[fitted], factors)
        found = slowed(network, factors)
        times, turns = _driven(found, starts, goals)
    return Calibration(
        network=found,
        factors={name: round(float(f), 3) for name, f in zip(GROUPS, factors, strict=True)},
        share={name: float(s) for name, s in zip(GROUPS, share / share.sum(), strict=True)},
        before=_error(expected[judges], seconds[judges]),
        after=_error((times.sum(axis=1) + turns)[judges], seconds[judges]),
        left_out=left_out,
    )


def slowed(network: RoadNetwork, factors: npt.NDArray[np.float64]) -> RoadNetwork:
    """The same roads with every duration multiplied by the factor of its class. Shape of factors: [len(GROUPS)]."""
    last = network.pointer[1:] - 1
    piece = np.diff(network.time_share.astype(np.float64), append=0.0)
    piece[last] = 0.0
    slow = piece * factors[_GROUP[network.way_class[network.way]]]
    running = np.concatenate([[0.0], np.cumsum(slow)])
    before, total = running[network.pointer[:-1]], running[network.pointer[1:]] - running[network.pointer[:-1]]
    edge = np.repeat(np.arange(len(total)), np.diff(network.pointer))
    shares = (running[:-1] - before[edge]) / np.maximum(total[edge], 1e-12)
    shares[last] = 1.0
    along, against = (
        np.where(ms == NO_WAY, NO_WAY, np.maximum(1, np.rint(ms * total))).astype(np.int32) for ms in (network.ms_along, network.ms_against)
    )
    told = {name: round(float(f) * network.slowness.get(name, 1.0), 3) for name, f in zip(GROUPS, factors, strict=True)}
    return replace(network, ms_along=along, ms_against=against, time_share=shares.astype(np.float32), slowness=told)


def _driven(network: RoadNetwork, starts: Snapped, goals: Snapped) -> tuple[Array, Array]:
    """Seconds on each group of roads, and of turning, of each trip's fastest way; NaN where there is none."""
    times, turns = np.zeros((len(starts.edge), len(GROUPS))), np.zeros(len(starts.edge))
    for k in range(len(times)):
        legs = find_legs(network, starts.one(k), goals.one(k))
        if not legs:
            times[k] = np.nan
        for leg in legs:
            turn_s = split(leg.turn)[0] / 1000
            turns[k] += turn_s
            times[k] += (split(leg.weight)[0] / 1000 - turn_s) * _shares_by_group(network, leg.edge)
    return times, turns


def _shares_by_group(network: RoadNetwork, edge: int) -> Array:
    """Of an edge's duration; the part that is driven of a first or last edge is taken to be like the whole."""
    part = slice(int(network.pointer[edge]), int(network.pointer[edge + 1]))
    groups = _GROUP[network.way_class[network.way[part]][:-1]]
    return np.bincount(groups, np.diff(network.time_share[part].astype(np.float64)), len(GROUPS))


def _fit(times: Array, turns: Array, seconds: Array, so_far: Array) -> Array:
    """Factors that bring times + turns nearest to the observed seconds."""

    def residuals(factors: Array) -> Array:
        pull = np.sqrt(_PULL) * (factors * so_far - 1.0)
        return np.concatenate([(times @ factors + turns - seconds) / seconds, pull])

    bounds = (_LOWEST / so_far, _HIGHEST / so_far)
    return np.asarray(least_squares(residuals, np.ones(len(so_far)), bounds=bounds, loss="soft_l1", f_scale=0.2).x)


def _error(expected: Array, seconds: Array) -> Error:
    relative = (expected - seconds) / seconds
    return Error(trips=len(seconds), bias=float(relative.mean()), typical=float(np.median(np.abs(relative))))
