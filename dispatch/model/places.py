"""What people ask about places: words to look for, or a point to name. An address is somebody's: it is sent in a body, never in a URL."""

from pydantic import Field

from dispatch.model.intake import Intake, Line, Point, example


class PlaceQuestion(Intake):
    """Words to look for."""

    model_config = example({"text": "12 rue de l'Église, Orvelac", "limit": 8})

    text: Line = Field(examples=["12 rue de l'Église, Orvelac"])
    near: Point | None = Field(None, description="Of answers that are as good, the nearer first; by default a beneficiary's own home.")
    limit: int = Field(8, ge=1, le=20)
    typing: bool = Field(False, description="The last word may be a beginning.")


class PointQuestion(Intake):
    """A point to be named."""

    model_config = example({"point": [2.3969, 46.2883]})

    point: Point
