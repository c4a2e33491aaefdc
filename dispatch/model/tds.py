"""Telegrams of the Transactional Data Specification (TCRP Research Report 210, 2020) that an ordering client sends us, in their own names.

In: telegram 1A (with rider information) or 2A as JSON. Out: a `NewTrip`. Called by `api.routes.tds`; docs/tds.md has every field. What is
taken and not kept is said there: names, telephone numbers and street names are in the file of the person, or are nobody's business here.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from dispatch.model.asking import Purpose
from dispatch.model.contact import Phone
from dispatch.model.day import Lat, Lon
from dispatch.model.intake import Instant, Intake, Line, NewTrip, Point, RowId, example

#: What somebody uses or needs -> what the driver must do or bring. Codes that are no more than a diagnosis are not here, and not kept.
SPECIAL_ATTRIBUTES = (
    "A", "AL", "C", "CU", "D2D", "DA", "DTD", "E", "HIP", "IDD", "KD", "MH", "MIP", "NDD", "NLA", "O", "S", "SA", "SD", "SI", "TD", "U",
    "VIP", "W", "WA", "WAK", "WE", "WT", "WW",
)  # fmt: skip
NEEDS_BY_ATTRIBUTE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AL": ("low_step",), "C": ("cane",), "CU": ("crutches",), "D2D": ("door_to_door",), "DTD": ("door_through_door",),
        "E": ("wheelchair_seated", "electric"), "HIP": ("hearing",), "MIP": ("memory",), "NLA": ("never_alone",), "O": ("oxygen",),
        "S": ("scooter",), "SA": ("service_animal",), "U": ("door_to_door",), "VIP": ("visual",), "W": ("wheelchair_seated",),
        "WA": ("walker",), "WAK": ("walker",), "WE": ("wheelchair_seated", "wide"), "WT": ("fold_wheelchair",),
        "WW": ("wheelchair_seated", "wide"),
    }
)  # fmt: skip
TripPurpose = Literal["A", "D", "E", "G", "HR", "M", "P", "R", "T"]
PURPOSES_BY_CODE: Mapping[TripPurpose, Purpose] = MappingProxyType(
    {
        "A": "day_centre", "D": "dialysis", "E": "employment", "G": "grocery", "HR": "health", "M": "medical", "P": "personal",
        "R": "recreation", "T": "public_transit",
    }
)  # fmt: skip
PaymentType = Literal["cash", "card", "account", "ticket", "noShow", "providerCompensation", "other"]
RejectionReason = Literal[
    "NOT_IN_SERVICE_AREA", "INVALID_SERVICE_HOURS", "INVALID_USER", "INVALID_PICKUP_ADDRESS", "INVALID_DROPOFF_ADDRESS",
    "NO_VEHICLES_AVAILABLE", "UNABLE_TO_SERVICE_TRIP", "BAD_WEATHER", "WRONG_SERVICE_LEVEL", "OTHER",
]  # fmt: skip
WINDOW_MINUTES = 30  # where the telegram gives none


def _attribute(code: str) -> str:
    if code not in SPECIAL_ATTRIBUTES:
        raise ValueError("is no special attribute (docs/tds.md)")
    return code


SpecialAttribute = Annotated[str, AfterValidator(_attribute), WithJsonSchema({"type": "string", "enum": list(SPECIAL_ATTRIBUTES)})]


class _Part(Intake):
    model_config = ConfigDict(alias_generator=to_camel)


class TdsTime(_Part):
    """A moment, with its offset."""

    time: Instant


class GeographicLocation(_Part):
    """A point."""

    type_of_coordinate: Literal["WGS84"]
    lat: Lat
    long: Lon
    precision: int | None = Field(None, ge=0, le=100_000)


class Address(_Part):
    """Where; the point counts."""

    geographic_location: GeographicLocation
    address_name: Line | None = None
    street: Line | None = None
    street_no: int | None = Field(None, ge=1, le=99_999)
    community: Line | None = None
    postal_no: Line | None = None
    country: Line | None = None
    address_description: Line | None = None

    @property
    def point(self) -> Point:
        """[lon, lat]."""
        return self.geographic_location.long, self.geographic_location.lat


class CustomerInfo(_Part):
    """Who rides: a beneficiary of ours."""

    customer_id: RowId


class _Wished(_Part):
    """What 1A and 2A have in common."""

    trip_request_id: Line = Field(description="The ordering client's own.")
    timestamp: TdsTime
    pickup_address: Address
    dropoff_address: Address
    pickup_time: TdsTime | None = None
    appointment_time: TdsTime | None = None
    dropoff_time: TdsTime | None = None
    pickup_window_start_time: TdsTime | None = None
    pickup_window_end_time: TdsTime | None = None
    negotiated_pickup_time: TdsTime | None = None
    detours_permissible: bool = True
    hard_constraint_on_pickup_time: bool = False
    hard_constraint_on_dropoff_time: bool = False

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if not self._arrive_by and not self._depart_after:
            raise ValueError("give appointmentTime or dropoffTime, or pickupTime or pickupWindowStartTime")
        return self

    def times(self) -> dict[str, datetime]:
        """Every moment there is, by its field."""
        fields = type(self).model_fields
        return {str(fields[name].alias): value.time for name, value in self if isinstance(value, TdsTime) and name != "timestamp"}

    @property
    def _arrive_by(self) -> TdsTime | None:
        return self.appointment_time or self.dropoff_time

    @property
    def _depart_after(self) -> TdsTime | None:
        return self.pickup_window_start_time or self.negotiated_pickup_time or self.pickup_time

    def _trip(self, customer: RowId, needs: tuple[str, ...] = (), purpose: Purpose | None = None, others: int = 0) -> NewTrip:
        arrive, depart = self._arrive_by, self._depart_after
        window, hard = WINDOW_MINUTES, self.hard_constraint_on_dropoff_time if arrive else self.hard_constraint_on_pickup_time
        if arrive is None and depart is not None and self.pickup_window_end_time is not None:
            window = max(0, min(1440, (self.pickup_window_end_time.time - depart.time) // timedelta(minutes=1)))
        alone = () if self.detours_permissible else ("alone_in_car",)
        return NewTrip(
            beneficiary_id=customer,
            origin=self.pickup_address.point,
            destination=self.dropoff_address.point,
            arrive_by=arrive.time if arrive else None,
            depart_after=depart.time if depart and not arrive else None,
            window_minutes=0 if hard else window,
            seats=1 + others,
            needs=tuple(dict.fromkeys([*needs, *alone])),
            purpose=purpose,
        )


_PLACES = {
    "pickupAddress": {"geographicLocation": {"typeOfCoordinate": "WGS84", "lat": 46.2883, "long": 2.3969}, "community": "Montluçon"},
    "dropoffAddress": {"geographicLocation": {"typeOfCoordinate": "WGS84", "lat": 46.3007, "long": 2.4102}},
}
_WHEN = {"timestamp": {"time": "2026-11-24T09:00:00+01:00"}, "appointmentTime": {"time": "2026-11-25T10:40:00+01:00"}}
_CUSTOMER = "6f1a3f0c-6f0b-4a5e-8f5e-0d2a9c1f7b10"


class TdsTripRequest(_Wished):
    """Telegram 1A, with rider information: is this trip available?"""

    model_config = example(
        {"telegramType": "TripRequest", "tripRequestId": "A-17", **_WHEN, **_PLACES, "customerInfo": {"customerId": _CUSTOMER}}
    )

    telegram_type: Literal["TripRequest"]
    customer_info: CustomerInfo
    special_attributes: tuple[SpecialAttribute, ...] = Field((), strict=False, max_length=30)
    open_attribute: Line | None = None

    def trip(self) -> NewTrip:
        """As it would be asked for here."""
        return self._trip(
            self.customer_info.customer_id, tuple(n for code in self.special_attributes for n in NEEDS_BY_ATTRIBUTE.get(code, ()))
        )


class TdsOrder(_Wished):
    """Telegram 2A: the trip is ordered."""

    model_config = example(
        {"telegramType": "ClientOrderConfirmation", "tripRequestId": "A-17", **_WHEN, **_PLACES, "customerId": _CUSTOMER,
         "customerName": "Jeanne Roussel", "fundingEntityId": "CD03", "tripPurpose": ["M"]}
    )  # fmt: skip

    telegram_type: Literal["ClientOrderConfirmation"]
    customer_id: RowId
    customer_name: Line
    funding_entity_id: Line
    customer_mobile_phone: Phone | None = None
    num_other_reserved_passengers: int = Field(0, ge=0, le=7)
    customer_loc_in_dropoff_sequence: int | None = Field(None, ge=1, le=1000)
    detailed_pickup_location_description: Line | None = None
    detailed_dropoff_location_description: Line | None = None
    trip_purpose: tuple[TripPurpose, ...] = Field((), strict=False, max_length=9)
    payment_type: tuple[PaymentType, ...] = Field((), strict=False, max_length=7)
    fare_amount: float | None = Field(None, ge=0, le=10_000)

    def trip(self) -> NewTrip:
        """As it is asked for here. The first purpose counts."""
        purpose = PURPOSES_BY_CODE[self.trip_purpose[0]] if self.trip_purpose else None
        return self._trip(self.customer_id, purpose=purpose, others=self.num_other_reserved_passengers)
