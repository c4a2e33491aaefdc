"""What the API answers to « est-ce possible ? »: with whom, and if not, why and what would work instead."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from uuid import UUID

from pydantic import Field

from api.schemas import _Out
from dispatch.engine.feasibility import Answer
from dispatch.model.asking import Direction
from dispatch.model.feasibility import Alternative, AlternativeKind, Helper


class ObstacleOut(_Out):
    """A rule the wish goes against, with its code; asking for it would have been refused with the same."""

    field: str
    code: str = Field(examples=["short_notice", "after_cut_off", "outside_hours", "another_ride"])
    sentence: str
    sentence_en: str
    possible_from: dt.datetime | None = Field(description="From when on this ride may be asked for.")
    possible_until: dt.datetime | None = Field(description="Until when this ride could have been asked for.")


class WhyOut(_Out):
    """Why nobody can drive a way as it is asked for."""

    direction: Direction
    reason: str = Field(examples=["NO_DRIVER_WINDOW", "NEEDS_UNMET"])
    sentence: str
    sentence_en: str


class HelperOut(_Out):
    """A volunteer who could drive; the plan of others stays as it is, and the checker has proved the plan with it."""

    volunteer_id: UUID
    name: str | None
    ways: list[Direction]
    km: float = Field(description="More, from home to home.")
    minutes: int = Field(description="More, away from home.")
    known: bool = Field(description="To the person.")
    preferred: bool = Field(description="By the person.")
    leaves_home: dt.datetime
    back_home: dt.datetime
    sentence: str = Field(description="French: what it would mean.")
    sentence_en: str


class AlternativeOut(_Out):
    """What would work instead, as it would be asked for."""

    kind: AlternativeKind = Field(description="`volunteer_more`: a volunteer's day gets longer; told to coordinators only.")
    sentence: str
    sentence_en: str
    arrive_by: dt.datetime | None
    depart_after: dt.datetime | None
    return_after: dt.datetime | None
    direction: Direction | None = Field(description="Of one way alone.")
    volunteer_id: UUID | None = Field(description="Who would have to give more.")
    minutes: int | None = Field(description="More of that volunteer's time.")
    helpers: list[HelperOut]


class FeasibilityOut(_Out):
    """Whether a ride would be possible if it were asked for now. Nothing was kept."""

    feasible: bool
    obstacles: list[ObstacleOut] = Field(description="Rules it goes against; none: it may be asked for.")
    helpers: list[HelperOut] = Field(description="The best first, for coordinators; the first of each way is enough for the whole wish.")
    why: list[WhyOut]
    alternatives: list[AlternativeOut] = Field(description="The nearest first in each kind; each was tried and proved.")
    others_waiting: int = Field(description="Ways of that day that nobody drives yet, and that may want the same volunteers.")

    @classmethod
    def of(cls, answer: Answer, names: Mapping[UUID, str | None] | None) -> "FeasibilityOut":
        """Without volunteers where there are no `names`: who drives is not told before it is agreed on."""
        shown = [one for one in answer.alternatives if names is not None or one.kind != "volunteer_more"]
        return cls(
            feasible=answer.feasible,
            obstacles=[ObstacleOut.model_validate(obstacle) for obstacle in answer.obstacles],
            helpers=_helpers(answer.helpers, names),
            why=[WhyOut.model_validate(why) for why in answer.why],
            alternatives=[_alternative(one, names) for one in shown],
            others_waiting=answer.others_waiting,
        )


def _helpers(helpers: tuple[Helper, ...], names: Mapping[UUID, str | None] | None) -> list[HelperOut]:
    return [] if names is None else [HelperOut(**asdict(helper), name=names.get(helper.volunteer_id)) for helper in helpers]


def _alternative(one: Alternative, names: Mapping[UUID, str | None] | None) -> AlternativeOut:
    known = {name: getattr(one, name) for name in AlternativeOut.model_fields if name not in ("helpers", "sentence", "sentence_en")}
    called = "" if one.volunteer_id is None or names is None else names.get(one.volunteer_id) or ""
    said = [text.replace(str(one.volunteer_id), called) if called else text for text in (one.sentence, one.sentence_en)]
    return AlternativeOut(**known, sentence=said[0], sentence_en=said[1], helpers=_helpers(one.helpers, names))
