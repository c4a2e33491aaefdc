"""Times, counts, reasons and papers as people say them, in French and English.

In: values and codes. Out: words, with ordinary blanks: they go into SMS too. Called by `notices.texts`, and by whoever speaks to people.
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

from dispatch.model.notices import Language, NoticeKind

_DAYS: Mapping[Language, tuple[str, ...]] = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
}


def day(moment: dt.date, language: Language) -> str:
    """« mardi 2 décembre »."""
    number = "1er" if language == "fr" and moment.day == 1 else str(moment.day)
    return f"{_DAYS[language][moment.weekday()]} {number} {_MONTHS[language][moment.month - 1]}"


def weekday(number: int, language: Language) -> str:
    """« mardi »; 0 is Monday."""
    return _DAYS[language][number]


def wall(moment: dt.datetime, zone: str) -> dt.date:
    """The day of a moment where people are."""
    return moment.astimezone(ZoneInfo(zone)).date()


def full_date(moment: dt.date, language: Language) -> str:
    """« mardi 2 décembre 2026 »."""
    return f"{day(moment, language)} {moment.year}"


def clock(moment: dt.datetime, language: Language, zone: str) -> str:
    """« 9 h 40 », « 9 h »; 9:40 am."""
    local = moment.astimezone(ZoneInfo(zone))
    if language == "fr":
        return f"{local.hour} h {local.minute:02}" if local.minute else f"{local.hour} h"
    return f"{local.hour % 12 or 12}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"


def when(moment: dt.datetime, language: Language, zone: str) -> str:
    """« mardi 2 décembre, 9 h 40 »."""
    return f"{day(wall(moment, zone), language)}, {clock(moment, language, zone)}"


def window(begins: dt.datetime, ends: dt.datetime, language: Language, zone: str) -> str:
    """« entre 9 h 35 et 9 h 50 »; « à 9 h 40 » when they are one moment."""
    first, last = clock(begins, language, zone), clock(ends, language, zone)
    if first == last:
        return f"à {first}" if language == "fr" else f"at {first}"
    return f"entre {first} et {last}" if language == "fr" else f"between {first} and {last}"


def counted(number: int, what: str, language: Language) -> str:
    """« 3 trajets »."""
    one, several = _COUNTED[what][language]
    return f"{number} {one if number < 2 else several}"


_COUNTED: Mapping[str, Mapping[Language, tuple[str, str]]] = {
    "rides": {"fr": ("trajet", "trajets"), "en": ("ride", "rides")},
    "seats": {"fr": ("personne", "personnes"), "en": ("person", "people")},
    "people": {"fr": ("personne", "personnes"), "en": ("person", "people")},
    "minutes": {"fr": ("minute", "minutes"), "en": ("minute", "minutes")},
    "km": {"fr": ("km", "km"), "en": ("km", "km")},
}
#: Why something is not possible. Codes come from planning, from booking rules and from whoever decides; others have a general sentence.
REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "UNREACHABLE": ("L'adresse n'est pas accessible en voiture.", "The address cannot be reached by car."),
        "REFUSED_PAIR": ("Aucun bénévole n'est disponible pour ce trajet.", "No volunteer is available for this ride."),
        "NEEDS_UNMET": ("Aucune voiture disponible ne convient à ce trajet.", "None of the available cars suits this ride."),
        "CAPACITY": ("Il manque une place dans les voitures disponibles.", "The available cars have no seat left."),
        "TOO_FAR": ("Le trajet est trop long pour les bénévoles disponibles.", "The ride is too long for the available volunteers."),
        "NO_DRIVER_WINDOW": ("Aucun bénévole n'est libre à cette heure.", "No volunteer is free at that time."),
        "RIDE_TIME": ("Partager ce trajet le rendrait trop long.", "Sharing this ride would make it too long."),
        "TIME_LIMIT": ("Nous n'avons pas trouvé de bénévole à temps.", "We did not find a volunteer in time."),
        "ALL_DECLINED": ("Les bénévoles à qui nous avons demandé ne sont pas libres.", "The volunteers we asked are not free."),
        "NO_DRIVER": ("Nous n'avons pas trouvé de bénévole.", "We did not find a volunteer."),
        "volunteer_absent": ("Le bénévole prévu ne peut pas venir.", "The volunteer cannot come."),
        "away": ("Le bénévole n'est plus libre à cette heure.", "The volunteer is not free at that time any more."),
        "not_active": ("Le bénévole ne conduit plus pour le moment.", "The volunteer does not drive at the moment."),
        "refused": ("Ces deux personnes ne roulent plus ensemble.", "These two people do not ride together any more."),
        "needs": ("La voiture ne convient plus à ce trajet.", "The car does not suit this ride any more."),
        "car": ("Il manque une place dans la voiture.", "The car has no seat left."),
        "too_far": ("Le trajet est trop loin pour le bénévole.", "The ride is too far for the volunteer."),
        "together": ("L'aller et le retour vont ensemble.", "Both ways go together."),
        "vehicle_issue": ("La voiture du bénévole est en panne.", "The volunteer's car has broken down."),
        "weather": ("La météo ne permet pas de rouler.", "The weather does not allow driving."),
        "asked_for": ("Vous nous l'avez demandé.", "You asked us to."),
        "too_soon": ("La demande arrive trop tard avant le départ.", "The request comes too late before the departure."),
        "too_far_ahead": ("La date est encore trop loin.", "The date is too far ahead."),
        "outside": ("Le trajet sort de notre secteur.", "The ride is outside our area."),
        "not_eligible": ("Les conditions pour en bénéficier ne sont pas réunies.", "The conditions are not met."),
        "duplicate": ("Ce trajet est déjà demandé.", "This ride has already been asked for."),
        "sms_accepted": ("C'est noté, vous conduisez. Merci beaucoup !", "Noted, you are driving. Thank you very much!"),
        "sms_declined": ("C'est noté, nous demandons à quelqu'un d'autre. Merci !", "Noted, we are asking somebody else. Thank you!"),
        "sms_said_before": ("Nous l'avions bien noté.", "We had noted it already."),
        "sms_too_late": (
            "Trop tard pour répondre par SMS : appelez la coordination s'il le faut.",
            "Too late to answer by SMS: call the coordination if need be.",
        ),
        "sms_which_one": (
            "Pour lequel ? Répondez avec les quatre chiffres de notre message, par exemple OUI 4821.",
            "For which one? Answer with the four digits of our message, such as YES 4821.",
        ),
        "sms_nothing_open": (
            "Nous n'avons rien trouvé qui attende cette réponse. La coordination va lire votre message.",
            "Nothing of ours is waiting for this answer. The coordination will read your message.",
        ),
        "sms_unclear": (
            "Nous n'avons pas compris, la coordination va lire votre message. Répondez OUI, NON ou ANNULER et les quatre chiffres.",
            "We did not understand, the coordination will read your message. Answer YES, NO or CANCEL and the four digits.",
        ),
        "sms_stopped": ("Vous ne recevrez plus de SMS. Nous vous appellerons.", "You will get no more SMS. We will call you."),
        "sms_started": ("Vous recevrez de nouveau nos SMS.", "You will get our SMS again."),
    }
)
_NO_REASON: Mapping[NoticeKind, tuple[str, str]] = {
    "ride_unmet": REASONS["NO_DRIVER"],
    "request_refused": ("Nous ne pouvons pas faire ce trajet.", "We cannot do this ride."),
}
PAPERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "licence": ("permis de conduire", "driving licence"),
        "insurance": ("attestation d'assurance", "insurance certificate"),
        "technical_inspection": ("contrôle technique", "technical inspection"),
        "insurer_notice": ("accord de l'assureur", "insurer's notice"),
        "charter": ("charte du bénévole", "volunteer's charter"),
        "training": ("attestation de formation", "training certificate"),
        "identity": ("pièce d'identité", "identity document"),
        "b3": ("extrait de casier judiciaire (B3)", "criminal record extract"),
        "medical": ("avis médical", "medical certificate"),
    }
)
_SOME_PAPER = ("document", "document")


def reason(code: str, kind: NoticeKind, language: Language) -> str:
    """A sentence; empty when the code says nothing and the kind does well without."""
    return REASONS.get(code, _NO_REASON.get(kind, ("", "")))[language == "en"]


def paper(code: str, language: Language) -> str:
    """« permis de conduire »."""
    return PAPERS.get(code, _SOME_PAPER)[language == "en"]


def first_name(name: str | None) -> str | None:
    """« Jeanne » of Jeanne Roussel; « Mme Roussel » stays as it is."""
    if name is None:
        return None
    first, _, rest = name.partition(" ")
    return name if rest and first.rstrip(".").casefold() in _TITLES else first


_TITLES = {"m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "mrs", "ms", "dr"}
