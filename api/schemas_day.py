"""What the API answers about the day as it is driven: runs step by step, taps, and what needs a human."""

import datetime as dt
from typing import Self, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import OfferOut, Point, RoundOut
from dispatch.notices.words import first_name
from dispatch.service.attention import Kind
from dispatch.service.day_view import DayView, Way
from dispatch.service.lateness import Expected
from dispatch.service.run_sheet import Rider, RunView
from dispatch.service.sending import Sent
from dispatch.service.trips import area
from dispatch.storage.driving import RunStop
from dispatch.storage.tables import Round


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TapOut(_Out):
    state: str
    at: dt.datetime


class RiderOut(_Out):
    """Somebody of a run. Family name and phone are there from a day before the run until two hours after it; for staff always."""

    leg_id: UUID
    request_id: UUID
    direction: str
    state: str
    told_pickup_at: dt.datetime
    name: str | None
    phone: str | None
    seats: int
    wheelchair: bool
    needs: list[str]
    wait_at_destination: bool = Field(description="The volunteer waits there and brings the person back.")
    taps: list[TapOut]
    expected_at: dt.datetime | None = Field(description="When the car is there, as far as is known; of whoever is on board: at the end.")
    late_minutes: int | None = Field(description="Later than was told; of whoever is on board: than the appointment.")

    @classmethod
    def of(cls, rider: Rider, expected: Expected | None, *, shown: bool) -> Self:
        """One rider."""
        return cls(
            leg_id=rider.leg.id,
            request_id=rider.request.id,
            direction=rider.leg.direction,
            state=rider.leg.state,
            told_pickup_at=rider.assignment.told_pickup_at,
            name=rider.identity.name if shown else first_name(rider.identity.name),
            phone=rider.identity.phone if shown else None,
            seats=rider.request.seats,
            wheelchair=rider.beneficiary.wheelchair,
            needs=list(dict.fromkeys([*rider.beneficiary.needs, *rider.request.needs])),
            wait_at_destination=rider.request.wait_at_destination,
            taps=[TapOut.model_validate(tap) for tap in rider.taps],
            expected_at=expected.at if expected else None,
            late_minutes=expected.late_minutes if expected else None,
        )


class StepOut(_Out):
    """One stop, in the order of driving."""

    kind: str = Field(examples=["home", "pickup", "dropoff"])
    leg_id: UUID | None
    place: Point = Field(description="To about a kilometre while phones are not there; home always.")
    arrive_at: dt.datetime
    depart_at: dt.datetime
    metres: int = Field(description="Driven since the stop before.")
    label: str | None = Field(description="What people call the place; this and the next are there while phones are.")
    note: str | None = Field(description="How to find it or get in.")
    map: str = Field(description="The place in whatever shows maps on the phone.")


class PositionOut(_Out):
    """Where the phone of a volunteer was, as he or she shares it; only while the run goes on."""

    place: Point
    accuracy_m: int
    at: dt.datetime


class RunSheetOut(_Out):
    id: UUID
    volunteer_id: UUID
    service_date: dt.date
    state: str = Field(examples=["planned", "published", "started", "finished", "verified"])
    starts_at: dt.datetime
    ends_at: dt.datetime
    version: int = Field(description="Of what the volunteer was told of this day; 0: nothing yet.")
    metres: int
    riders: list[RiderOut]
    steps: list[StepOut]
    position: PositionOut | None

    @classmethod
    def of(cls, view: RunView, *, staff: bool) -> Self:
        """A whole sheet; of a volunteer's own, whom and where exactly only from a day before until two hours after."""
        shown = staff or view.phones
        steps = []
        for stop in view.stops:
            place = stop.place if shown or stop.leg_id is None else area(stop.place)
            times = {name: getattr(stop, name) for name in ("kind", "leg_id", "arrive_at", "depart_at", "metres")}
            called = _called(view, stop, shown=shown)
            steps.append(StepOut(place=place, **times, **called, map=f"geo:{place[1]:.6f},{place[0]:.6f}"))
        own = {name: getattr(view.run, name) for name in ("id", "volunteer_id", "service_date", "state", "starts_at", "ends_at")}
        riders = [RiderOut.of(rider, view.expected.get(leg_id), shown=shown) for leg_id, rider in view.riders.items()]
        position = PositionOut.model_validate(view.position) if view.position else None
        return cls(**own, version=view.version, metres=view.metres, riders=riders, steps=steps, position=position)


def _called(view: RunView, stop: RunStop, *, shown: bool) -> dict[str, str | None]:
    rider = view.riders.get(stop.leg_id) if shown and stop.leg_id is not None else None
    label, note = rider.called(stop.kind) if rider is not None else (None, None)
    return {"label": label, "note": note}


class EntryOut(_Out):
    """Something that needs a human, with until when; what it is about is named by its id."""

    kind: str = Field(examples=list(get_args(Kind)))
    request_id: UUID | None
    leg_id: UUID | None
    person_id: UUID | None = Field(description="Whom it is about, where it is about no request.")
    sms_id: UUID | None
    notice_id: UUID | None
    until: dt.datetime
    minutes: int | None = Field(description="Of lateness.")
    sentence: str
    sentence_en: str


class AttentionOut(_Out):
    items: list[EntryOut]


class PublishedOut(_Out):
    told: int = Field(description="Volunteers to whom something new was told.")


class SentOut(_Out):
    offers: list[UUID]
    volunteers: int = Field(description="Who are asked: each gets one question, with one link and one deadline.")
    legs: int = Field(description="Ways that are asked about.")
    late: int = Field(description="Ways it is too late to ask about: they stay as they are, for somebody to look at.")

    @classmethod
    def of(cls, sent: Sent) -> Self:
        """What was asked."""
        return cls(offers=[offer.id for offer in sent.offers], volunteers=sent.volunteers, legs=sent.legs, late=sent.late)


class WayOut(_Out):
    """One way of a day: who rides, who drives, how things stand."""

    leg_id: UUID
    request_id: UUID
    direction: str
    state: str
    group: str = Field(
        description="What the state means.", examples=["unsolved", "searching", "proposed", "asked", "confirmed", "driving", "done"]
    )
    beneficiary_id: UUID
    name: str | None
    moment: dt.datetime = Field(description="When it was asked for.")
    told_pickup_at: dt.datetime | None
    volunteer_id: UUID | None
    proposal_id: UUID | None = Field(description="Who would drive it, and when, where nobody has been asked yet.")
    offer_id: UUID | None = Field(description="That waits for an answer")
    answer_until: dt.datetime | None = Field(description="until then.")
    reason: str | None = Field(description="Why nobody was found, in French.")
    reason_en: str | None

    @classmethod
    def of(cls, way: Way) -> Self:
        """One way."""
        return cls(
            leg_id=way.leg.id,
            request_id=way.request.id,
            direction=way.leg.direction,
            state=way.leg.state,
            group=way.group,
            beneficiary_id=way.beneficiary.id,
            name=way.identity.name,
            moment=way.moment,
            told_pickup_at=way.held.told_pickup_at if way.held else None,
            volunteer_id=way.held.volunteer_id if way.held else None,
            proposal_id=way.held.id if way.held and way.leg.state == "proposed" else None,
            offer_id=way.offer.id if way.offer else None,
            answer_until=way.offer.expires_at if way.offer else None,
            reason=way.unserved.sentence if way.unserved else None,
            reason_en=way.unserved.sentence_en if way.unserved else None,
        )


class PieceOut(_Out):
    kind: str = Field(examples=["loaded", "empty", "wait"])
    starts_at: dt.datetime
    ends_at: dt.datetime
    leg_ids: list[UUID]


class RunLineOut(_Out):
    run_id: UUID
    state: str
    pieces: list[PieceOut]


class LaneOut(_Out):
    """A volunteer's day: when there is time, and the runs in it, piece by piece."""

    volunteer_id: UUID
    name: str | None
    free: list[tuple[dt.datetime, dt.datetime]]
    runs: list[RunLineOut]


class DayOut(_Out):
    """A day as whoever coordinates sees it."""

    date: dt.date
    counts: dict[str, int] = Field(description="Ways by group.")
    metres: int = Field(description="Of all runs, from home to home;")
    empty_metres: int = Field(description="of them with nobody in the car.")
    round: RoundOut | None = Field(description="The newest.")
    ways: list[WayOut]
    lanes: list[LaneOut]

    @classmethod
    def of(cls, view: DayView, newest: Round | None) -> Self:
        """All of it."""
        return cls(
            date=view.date,
            counts={group: number for group, number in view.counts.items() if number},
            metres=view.metres,
            empty_metres=view.empty_metres,
            round=RoundOut.of(newest) if newest else None,
            ways=[WayOut.of(way) for way in view.ways],
            lanes=[
                LaneOut(
                    volunteer_id=lane.volunteer_id,
                    name=lane.identity.name,
                    free=list(lane.free),
                    runs=[
                        RunLineOut(
                            run_id=line.run.id, state=line.run.state, pieces=[PieceOut.model_validate(piece) for piece in line.pieces]
                        )
                        for line in lane.runs
                    ],
                )
                for lane in view.lanes
            ],
        )


class LegStateOut(_Out):
    id: UUID
    request_id: UUID
    direction: str
    state: str


class CandidateOut(_Out):
    """A volunteer for a way, and what it would mean to ask; the plan of others stays as it is."""

    volunteer_id: UUID
    name: str | None
    fits: bool
    sentence: str = Field(description="French: what it would mean, or the rule that is in the way.")
    sentence_en: str
    km: float | None = Field(description="More, from home to home.")
    leaves_home: dt.datetime | None
    back_home: dt.datetime | None
    known: bool = Field(description="To the person: drove them of late, or knows them well.")
    preferred: bool = Field(description="By the person.")
    answered: str | None = Field(description="`declined` or `expired`: asked before; asking again needs a reason.")
    asked_now: bool


class CandidatesOut(_Out):
    items: list[CandidateOut]


class QuestionOut(BaseModel):
    """All that a volunteer was asked together."""

    items: list[OfferOut]
