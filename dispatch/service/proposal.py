"""The proposal: what the newest plan would ask of volunteers, beside what people were told before, for whoever sends by hand.

In: a day. Out: a `Proposal`, by volunteer. Called by the console; `sending` asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from dispatch.model.lifecycle import OVER_LEG
from dispatch.model.plans import Plan, Why
from dispatch.service.day_view import DayView, Lane, Way, view_day
from dispatch.storage.driving import ToldRide
from dispatch.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one volunteer would be asked."""

    lane: Lane
    new: tuple[Way, ...]  # in order of time
    held: tuple[Way, ...]  # asked about, or agreed on, before
    leaves_at: datetime
    back_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """All of it, and what it comes to."""

    view: DayView
    plan: Plan | None  # the newest
    questions: tuple[Question, ...]  # by time of leaving home
    left: tuple[Way, ...]  # ways that nobody would drive
    told: Mapping[UUID, ToldRide]  # by leg: what its person was told before
    why: Mapping[UUID, Why]  # by leg: why this volunteer

    @property
    def new(self) -> int:
        """Ways to ask about."""
        return sum(len(question.new) for question in self.questions)

    @property
    def served(self) -> int:
        """Ways somebody drives, would drive, or has driven."""
        return sum(way.held is not None or way.leg.state == "completed" for way in self.view.ways)


def view_proposal(store: Store, day: date) -> Proposal:
    """As things stand; what `view_day` costs, and the newest plan."""
    view, plan = view_day(store, day), store.newest_plan(day)
    made = Plan.model_validate(plan) if plan else None
    by_volunteer: dict[UUID, list[Way]] = {}
    for way in view.ways:
        if way.held is not None and way.leg.state not in OVER_LEG:
            by_volunteer.setdefault(way.held.volunteer_id, []).append(way)
    questions = (_question(lane, by_volunteer[lane.volunteer_id]) for lane in view.lanes if lane.volunteer_id in by_volunteer)
    asking = tuple(question for question in questions if question.new)
    new = {way.leg.id: way for question in asking for way in question.new}
    reasons = {(served.request, str(served.leg), run.driver): served.why for run in made.runs for served in run.legs} if made else {}
    found = {
        leg_id: reasons.get((str(way.request.id), way.leg.direction, str(way.held.volunteer_id))) for leg_id, way in new.items() if way.held
    }
    return Proposal(
        view=view,
        plan=made,
        questions=tuple(sorted(asking, key=lambda question: (question.leaves_at, question.lane.volunteer_id))),
        left=tuple(way for way in view.ways if way.group in ("unsolved", "searching")),
        told=store.told_rides(new),
        why={leg_id: why for leg_id, why in found.items() if why is not None},
    )


def _question(lane: Lane, ways: list[Way]) -> Question:
    new = tuple(way for way in ways if way.leg.state == "proposed")
    runs = {way.held.run_id for way in new if way.held}
    spans = [line.run for line in lane.runs if line.run.id in runs]
    return Question(
        lane=lane,
        new=new,
        held=tuple(way for way in ways if way.leg.state != "proposed"),
        leaves_at=min((run.starts_at for run in spans), default=ways[0].at),
        back_at=max((run.ends_at for run in spans), default=ways[-1].at),
    )
