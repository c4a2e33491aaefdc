"""What the coordination writes down of whether somebody may ask for rides: which kind, from when to when, under which conditions, and what
it rests on. Strict, as `model.intake`; codes only, so that nothing about health can be written here.

Read by the API and `service.eligibility`; whether a wish is within it is for `rules.eligibility`.
"""

from typing import Annotated, Literal, Self, get_args

from pydantic import FailFast, Field, model_validator

from dispatch.model.asking import Purpose
from dispatch.model.clock import ServiceDate
from dispatch.model.intake import Intake, example

EligibilityKind = Literal["unconditional", "conditional", "temporary"]
Proof = Literal["paper", "referrer", "declared"]
ELIGIBILITY_KINDS: tuple[EligibilityKind, ...] = get_args(EligibilityKind)
PROOFS: tuple[Proof, ...] = get_args(Proof)


class NewEligibility(Intake):
    """Whether somebody may ask for rides, in a territory that asks for it (`rules.eligibility.rule`)."""

    model_config = example({"kind": "temporary", "valid_until": "2027-01-31", "purposes": ["medical", "health"], "proof": "paper"})

    kind: EligibilityKind = Field(description="unconditional; conditional: with one of the conditions below at least; temporary: it ends.")
    valid_from: ServiceDate | None = Field(None, strict=False, description="The first day; from now on when absent.")
    valid_until: ServiceDate | None = Field(None, strict=False, description="The last day; without end when absent.")
    purposes: Annotated[tuple[Purpose, ...], FailFast()] = Field(
        (), strict=False, max_length=20, description="Condition: rides for these only; for any when empty."
    )
    rides_a_month: int | None = Field(None, ge=1, le=100, description="Condition: at most so many requests for a calendar month.")
    companion: bool = Field(False, description="Condition: only with somebody who comes along (`seats` is 2 or more).")
    proof: Proof = Field(description="What it rests on: a paper that was seen, a referrer's word, or what the person says.")
    seen_on: ServiceDate | None = Field(None, strict=False, description="When the paper was seen.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        conditions = self.purposes or self.rides_a_month is not None or self.companion
        if self.valid_from is not None and self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until must not be before valid_from")
        if self.kind == "temporary" and self.valid_until is None:
            raise ValueError("temporary needs valid_until: the last day")
        if self.kind == "conditional" and not conditions:
            raise ValueError("conditional needs a condition: purposes, rides_a_month or companion")
        if self.kind == "unconditional" and conditions:
            raise ValueError("unconditional has no conditions: call it conditional, or temporary")
        if len(set(self.purposes)) < len(self.purposes):
            raise ValueError("give each purpose once")
        return self
