"""What somebody agrees to whose data another person gives: every wording that was ever read out, under a name of its own.

What is kept of a consent is the name of its wording: a wording is never changed, a better one gets another name. Read by intake and pages.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Wording = Literal["referral-1"]
#: French and English; `{territory}` is its name.
WORDINGS: Mapping[Wording, tuple[str, str]] = MappingProxyType(
    {
        "referral-1": (
            "La personne est d'accord : son nom, son téléphone, son adresse et ses besoins sont donnés à {territory} "
            "pour organiser ses trajets. Le conducteur les voit quand il accepte un trajet. "
            "Elle peut les lire, les corriger et les faire effacer à tout moment.",
            "The person agrees: name, telephone, address and needs are given to {territory} to arrange rides. "
            "The driver sees them on accepting a ride. The person can read, correct and have them erased at any time.",
        ),
    }
)
#: What is read out now.
REFERRAL: Wording = "referral-1"
