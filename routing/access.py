"""Whether, and which way, a car may use a way or pass a node: OpenStreetMap's access rules for motor cars.

In: tags. Out: small values. Called by `routing.osm`. Follows the access hierarchy of the OpenStreetMap wiki
(motorcar > motor_vehicle > vehicle > access) and treats private and destination ways as usable only at the ends of a journey.
"""

from collections.abc import Mapping
from enum import IntEnum

from routing.speeds import BY_CLASS

Tags = Mapping[str, str]


class Access(IntEnum):
    """What a car may do: nothing, only begin or end a journey there, or pass."""

    NO = 0
    END_ONLY = 1
    YES = 2


_HIERARCHY = ("motorcar", "motor_vehicle", "vehicle", "access")
_END_ONLY = {"private", "destination", "customers", "delivery", "permit", "residents", "visitors"}
_NO = {"no", "agricultural", "forestry", "military", "emergency", "psv", "bus", "taxi", "hgv", "foot", "bicycle", "use_sidepath"}
_PASSABLE_BARRIERS = {
    "border_control", "cattle_grid", "entrance", "gate", "height_restrictor", "kerb", "lift_gate", "no", "sally_port", "toll_booth",
}  # fmt: skip
_YES = {"yes", "true", "1"}
_REVERSE = {"-1", "reverse"}
_IMPLIED_ONEWAY_JUNCTIONS = {"roundabout", "circular"}


def tagged_access(tags: Tags, side: str = "") -> Access | None:
    """What the tags say for cars, the most specific first; None where they say nothing. A list counts as its most generous value."""
    for key in _HIERARCHY:
        value = tags.get(key + side)
        if value is not None:
            return max(_one_access(part.strip()) for part in value.split(";"))
    return None


def _one_access(value: str) -> Access:
    return Access.NO if value in _NO else Access.END_ONLY if value in _END_ONLY else Access.YES


def way_access(tags: Tags) -> Access:
    """Whether a way is for cars at all."""
    said = tagged_access(tags)
    if tags.get("route") == "ferry":
        return Access.NO if said is None else said  # most ferries without a word are for people on foot
    if tags.get("highway") not in BY_CLASS or tags.get("area") == "yes" or tags.get("impassable") == "yes":
        return Access.NO
    if said is None:
        return Access.NO if tags.get("service") == "emergency_access" else Access.YES
    return said


def directions(tags: Tags) -> tuple[bool, bool]:
    """Whether a car may drive (along, against) the way's nodes."""
    oneway = next((tags[key] for key in ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway") if key in tags), None)
    implied = tags.get("junction") in _IMPLIED_ONEWAY_JUNCTIONS or tags.get("highway") == "motorway"
    if oneway in _YES or (oneway is None and implied):
        along, against = True, False
    elif oneway in _REVERSE:
        along, against = False, True
    elif oneway == "reversible":  # changes with the hour: nothing can be promised
        along = against = False
    else:
        along = against = True
    return along and tagged_access(tags, ":forward") != Access.NO, against and tagged_access(tags, ":backward") != Access.NO


def barrier_access(tags: Tags) -> Access:
    """Whether a car passes a node with a barrier."""
    said = tagged_access(tags)
    if said is not None:
        return said
    kind = tags.get("barrier", "no")
    if kind == "bollard" and tags.get("bollard") == "rising":
        return Access.END_ONLY
    return Access.YES if kind in _PASSABLE_BARRIERS else Access.NO
