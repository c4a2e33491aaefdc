"""What is said beside a field, in French: whole short sentences that do not need the field's name. English -> French."""

from collections.abc import Mapping
from types import MappingProxyType

_UTF8 = "Dans Excel : « Enregistrer sous », puis « CSV UTF-8 »."
#: Of any field.
_FORMS = {
    "is missing": "À remplir.",
    "is not valid": "Cette valeur ne convient pas.",
    "is not a known field": "Ce champ n'est pas connu ici.",
    "is given twice": "C'est donné deux fois : n'en gardez qu'un.",
    "must not be empty": "À remplir.",
    "must have at least 1 characters": "À remplir.",
    "must have at least {} characters": "C'est trop court : il faut au moins {0} caractères.",
    "must have at most {} characters": "C'est trop long : pas plus de {0} caractères.",
    "must hold at least 1 items": "Donnez-en au moins un.",
    "must hold at least {} items": "Donnez-en au moins {0}.",
    "must hold at most {} items": "Pas plus de {0} dans cette liste.",
    "has characters that are not allowed here": "Ce n'est pas la forme attendue : vérifiez ce qui est écrit.",
    "has characters that cannot be shown": "Certains caractères ne peuvent pas être affichés : retapez le texte.",
    "has too many accents on one letter": "Une lettre porte trop d'accents : retapez le texte.",
    "must be six digits": "Il faut les six chiffres.",
    "must be text": "Il faut un texte.",
    "must be a whole number": "Il faut un nombre entier.",
    "must be a number": "Il faut un nombre.",
    "must be an ordinary number (no NaN, no infinity)": "Il faut un nombre ordinaire (ni NaN, ni infini).",
    "must be greater than {}": "Donnez plus de {0}.",
    "must be at least {}": "Donnez au moins {0}.",
    "must be less than {}": "Donnez moins de {0}.",
    "must be at most {}": "Pas plus de {0}.",
    "must be true or false": "Il faut oui ou non (true, false).",
    "must be a list": "Il faut une liste.",
    "must be one of {}": "Choisissez l'une de ces valeurs : {0}.",
    "must be an id in UUID form": "Il faut un identifiant (UUID) : choisissez dans la liste.",
    "must have each code once": "Chaque code ne va qu'une fois dans la liste.",
    "is not readable JSON": "Ce n'est pas du JSON lisible.",
}
_TIMES = {
    "must be a date such as 2026-11-24": "Il faut une date, comme 2026-11-24.",
    "must be a date and time such as 2026-11-24T10:40:00+01:00": "Il faut une date et une heure, comme 2026-11-24T10:40:00+01:00.",
    "must be a date and time with its offset, such as 2026-11-24T10:40:00+01:00": (
        "Il faut une date et une heure avec son décalage, comme 2026-11-24T10:40:00+01:00."
    ),
    'must be a time such as "10:40", or a date-time with its offset such as "2026-11-24T10:40+01:00"': (
        "Il faut une heure, comme 10:40, ou une date et une heure avec son décalage, comme 2026-11-24T10:40+01:00."
    ),
    "must be a time such as 10:40": "Il faut une heure, comme 10:40.",
    "must be a time zone name such as Europe/Paris": "Il faut un fuseau horaire, comme Europe/Paris.",
    "must carry its offset from UTC, such as +01:00": "Il manque le décalage horaire, comme +01:00.",
    "is beyond the calendar": "Cette date est hors du calendrier.",
    "does not exist on this day: the clocks go forward; write the offset, such as 2026-03-29T03:30+02:00": (
        "Cette heure n'existe pas ce jour-là, on passe à l'heure d'été : écrivez le décalage, comme 2026-03-29T03:30+02:00."
    ),
    "happens twice on this day: the clocks go back; write the offset, such as 2026-10-25T02:30+01:00": (
        "Cette heure a lieu deux fois ce jour-là, on passe à l'heure d'hiver : écrivez le décalage, comme 2026-10-25T02:30+01:00."
    ),
    "is in the past": "C'est déjà passé : choisissez un moment à venir.",
    "is in the future": "C'est dans le futur : vérifiez la date.",
    "is in the future: check the clock of the phone": "C'est dans le futur : vérifiez l'heure du téléphone.",
    "is no special attribute (docs/tds.md)": "Ce code n'est pas connu : voyez docs/tds.md.",
    "is more than a week from now": "C'est à plus d'une semaine d'ici : vérifiez l'heure d'envoi.",
    "give appointmentTime or dropoffTime, or pickupTime or pickupWindowStartTime": (
        "Donnez une heure : appointmentTime ou dropoffTime, sinon pickupTime ou pickupWindowStartTime."
    ),
    "is too long ago to say anything": "C'est trop ancien pour dire où vous êtes.",
    "is long before this ride": "C'est bien avant ce trajet : vérifiez l'heure du téléphone.",
    "is long after this ride: tell the coordination": "C'est bien après ce trajet : prévenez la coordination.",
    "is more than {} days ahead": "C'est dans plus de {0} jours : choisissez une date plus proche.",
    "must be today or one of the next 400 days": "Choisissez aujourd'hui ou l'un des 400 jours qui viennent.",
}
_PEOPLE = {
    "is not a person of this territory": "Cette personne n'est pas connue sur ce territoire.",
    "is not an active volunteer of this territory": "Cette personne n'est pas un bénévole actif de ce territoire.",
    "contact_name is needed with contact_phone or contact_email": "Donnez aussi le nom du contact, avec son téléphone ou son e-mail.",
    "has a 0 behind +33: write +33 6 12 34 56 78 or 06 12 34 56 78": (
        "Il y a un 0 de trop après +33 : écrivez +33 6 12 34 56 78 ou 06 12 34 56 78."
    ),
    "must have nine digits behind +33": "Il faut neuf chiffres après +33.",
    "must have 9 to 15 digits behind the +": "Il faut de 9 à 15 chiffres après le +.",
    "is a number that costs extra to call": "Ce numéro est surtaxé : donnez-en un autre.",
    "must be ten digits such as 06 12 34 56 78, or begin with + and the country": (
        "Il faut dix chiffres, comme 06 12 34 56 78, ou un numéro qui commence par + et le pays."
    ),
    "must be an e-mail address such as jeanne@example.org": "Il faut une adresse e-mail, comme jeanne@example.org.",
    "is not in the catalogue of needs (docs/needs.md), which has no diagnoses": (
        "Ce besoin n'est pas dans la liste. Elle dit comment aider, jamais de diagnostic."
    ),
    "give the territory of the key; an admin's key has none": "Donnez le territoire de la clé ; celle d'un administrateur n'en a pas.",
    "give the id of the volunteer or beneficiary who holds the key; other roles have none": (
        "Dites à quel bénévole ou bénéficiaire est la clé ; les autres rôles n'en ont pas besoin."
    ),
    "an admin's account is made on the command line, and belongs to no territory": (
        "Le compte d'un administrateur se crée en ligne de commande, et n'appartient à aucun territoire."
    ),
    "give the id of the volunteer or beneficiary whose account this is; others have none": (
        "Dites à quel bénévole ou bénéficiaire est ce compte ; les autres comptes n'en ont pas besoin."
    ),
    "is not a scope (docs/authorization.md)": "Ce droit n'existe pas (voir docs/authorization.md).",
}
_REQUESTS = {
    "give either arrive_by or depart_after, not both and not neither": (
        "Donnez soit l'heure d'arrivée, soit l'heure de départ : l'une des deux, pas les deux."
    ),
    "says nothing: give preferred, known, or both": "Dites au moins l'un des deux : préféré, ou connaît bien la personne.",
    "return_after must not be before the way there": "L'heure du retour ne peut pas être avant l'aller.",
    "give either return_after or return_open: a time that is known is not open": (
        "Donnez une heure de retour, ou laissez-la à préciser : pas les deux."
    ),
    "stay_minutes needs arrive_by: nobody knows when the stay begins otherwise": "Donnez l'heure du rendez-vous ou du retour.",
    "wait_at_destination needs a way back whose time is known: give return_after or stay_minutes": (
        "Pour que le bénévole attende, donnez l'heure du retour ou la durée sur place."
    ),
    "return_after must be on the same day; make two requests otherwise": "Le retour doit être le même jour ; sinon, faites deux demandes.",
    "has another ride at that moment": "Cette personne a déjà un trajet à ce moment : regardez-le d'abord.",
    "names a way that was not asked about": "L'un de ces trajets ne faisait pas partie de la proposition.",
    "is missing: say why the other ways are declined": "Dites pourquoi les autres trajets sont refusés.",
    "must not be the same as origin": "L'arrivée est au même endroit que le départ : changez l'un des deux.",
    "is {} km from the nearest road: check the point (longitude comes first)": (
        "Ce point est à {0} km de la route la plus proche : vérifiez-le (la longitude d'abord)."
    ),
    "is less than {} from now: this territory needs so much notice": (
        "C'est dans moins de {0} : ce territoire demande ce délai. Choisissez plus tard, ou appelez la plateforme."
    ),
    "had to be asked for until {}: give a later day, or call the platform": (
        "Il fallait le demander avant le {0} : choisissez un jour plus lointain, ou appelez la plateforme."
    ),
    "is on a day on which this territory does not drive": "Ce territoire ne roule pas ce jour-là : choisissez un autre jour.",
    "must be between {} and {}": "Choisissez une heure entre {0} et {1}.",
    "must be one of the purposes this territory drives for": "Ce territoire ne roule pas pour ce motif : choisissez-en un autre.",
    "may be set by coordinators only": "Seule la coordination peut passer outre.",
    "may be set above {} by coordinators only": "Au-dessus de {0}, seule la coordination fixe la priorité.",
    "this request has no way back: make another request": "Cette demande n'a pas de retour : faites une autre demande.",
    "must be after the ride there, on its day": "Le retour doit être après l'aller, le même jour.",
}
_TIME_GIVEN = {
    "ends_at must be after starts_at": "La fin doit être après le début.",
    "a span lasts at most 24 hours; give several": "Une disponibilité dure au plus 24 heures : donnez-en plusieurs.",
    "is on a day that has {} spans already: join some of them": "Ce jour a déjà {0} disponibilités : réunissez-en quelques-unes.",
    "must end after they start; hours past midnight are two rows": "La fin doit être après le début. Après minuit, faites deux lignes.",
    "must not stop being valid before they begin": "Ces heures finissent d'être valables avant d'avoir commencé : vérifiez les dates.",
    "need valid_from when they are not of every week: weeks are counted from there": (
        "Donnez la date de début : c'est à partir d'elle que les semaines sont comptées."
    ),
    "overlap hours that stand before them": "Ces heures en chevauchent d'autres, plus haut : réunissez-les.",
    "give either first_day, with or without last_day, or starts_at and ends_at": (
        "Donnez soit des jours entiers (le premier, et le dernier si besoin), soit une heure de début et une heure de fin."
    ),
    "none of these days is within the time given": "Aucun de ces jours n'est dans le délai demandé.",
    "last_day must not be before first_day": "Le dernier jour ne peut pas être avant le premier.",
    "lasts more than {} days: let the volunteer leave instead": ("Cela dure plus de {0} jours : notez plutôt que le bénévole arrête."),
}
_PAPERS = {
    "is not in this territory's list of papers": "Ce justificatif n'est pas dans la liste de ce territoire.",
    "is more than {} months ago: this paper holds no longer": (
        "C'était il y a plus de {0} mois : ce justificatif n'est plus valable, donnez-en un plus récent."
    ),
    "is missing: this paper ends, so give its end or its issue": "Ce justificatif a une fin : donnez sa date de fin ou d'émission.",
    "has come already: hand in one that holds": "Cette date est passée : donnez un justificatif encore valable.",
    "must be after issued_on": "La fin doit être après la date d'émission.",
    "is no PDF, JPEG or PNG, or another one than its Content-Type says": (
        "Ce fichier n'est pas un PDF, un JPEG ou un PNG, ou n'est pas du type annoncé : choisissez-en un autre."
    ),
}
_SHEETS = {
    "must be a number, such as 46.2883 or 46,2883": "Il faut un nombre, comme 46,2883.",
    "must be oui or non, or yes or no": "Il faut oui ou non.",
    "must be a date such as 24/11/2026 or 2026-11-24": "Il faut une date, comme 24/11/2026.",
    "is empty": "Ce fichier est vide.",
    "holds no line below the names of the columns": "Il n'y a aucune ligne sous les noms des colonnes.",
    "holds more than {} lines; split it": "Il y a plus de {0} lignes : partagez le fichier.",
    'is UTF-16 or no text at all: save it as "CSV UTF-8" (in Excel: Enregistrer sous, CSV UTF-8)': (
        f"Ce fichier n'est pas du texte en UTF-8 : enregistrez-le de nouveau. {_UTF8}"
    ),
    'is not UTF-8, probably Windows-1252 or Latin-1: save it as "CSV UTF-8" (in Excel: Enregistrer sous, CSV UTF-8)': (
        f"Les accents de ce fichier ne sont pas en UTF-8 : enregistrez-le de nouveau. {_UTF8}"
    ),
    "are more than {}": "Il y a plus de {0} colonnes : enlevez celles qui ne servent pas.",
    "has a name that is not known here; known are {}": "Ce nom de colonne n'est pas connu. Les noms connus : {0}.",
    "is missing as a column ({})": "Il manque la colonne « {0} ».",
    "has {} cells under {} names of columns: check separators and quotation marks": (
        "Il y a {0} cases pour {1} colonnes : vérifiez les séparateurs et les guillemets de cette ligne."
    ),
    "has a quotation mark that is not closed or stands inside a cell, or an endless cell": (
        "Un guillemet n'est pas fermé ou se trouve au milieu d'une case : corrigez cette ligne."
    ),
    "needs the column date beside it, or a date and time with its offset, such as 2026-11-24T10:40:00+01:00": (
        "Ajoutez la colonne « date », ou donnez la date et l'heure avec son décalage, comme 2026-11-24T10:40:00+01:00."
    ),
    "is missing: give it, or beneficiary with the name and phone": "Dites pour qui : le nom et le téléphone, ou l'identifiant.",
    "is the name of several people: give phone or beneficiary_id": "Plusieurs personnes portent ce nom : ajoutez le téléphone.",
    "somebody of this name with this phone or home is there already": (
        "Une personne de ce nom, avec ce téléphone ou ce domicile, est déjà enregistrée."
    ),
    "is the same person as in line {}": "C'est la même personne qu'à la ligne {0}.",
}
_SERIES = {
    "give each weekday once": "Chaque jour de la semaine ne va qu'une fois dans la liste.",
    "lasts more than {} days: end the series instead": "C'est plus de {0} jours : mettez plutôt fin à la série.",
    "give either arrive_by or depart_after; neither keeps the time": (
        "Donnez l'heure d'arrivée ou celle de départ, pas les deux ; sans heure, celle de la série reste."
    ),
    "must stay: a series is of one person": "Une série est celle d'une seule personne : elle ne change pas.",
    "must not be after the series' last day: write the series anew to make it longer": (
        "La série finit avant : pour la prolonger, modifiez-la."
    ),
    "needs the territory's school zone: `rules.holidays.school_zone`": (
        "La zone scolaire du territoire n'est pas connue : à indiquer dans ses règles (rules.holidays.school_zone)."
    ),
    "has no date that is still to come between first_day and last_day": "Entre ces deux jours, aucune date n'est encore à venir.",
    "leaves no date of this series": "Toutes les dates de cette série sont des jours fériés ou de vacances.",
    "is past or does not exist on any date of this series: the clocks change": (
        "Cette heure est passée, ou n'existe à aucune date de la série : c'est le changement d'heure."
    ),
    "has no such time: the clocks change on that day": "Cette heure n'existe pas ce jour-là : c'est le changement d'heure.",
    "is no date of this series that is still to come": "Ce n'est pas une date à venir de cette série.",
}
_ELIGIBILITY = {
    "has no eligibility on file: the coordination writes it down first": (
        "Aucun droit aux trajets n'est noté pour cette personne : la coordination le note d'abord."
    ),
    "is before this person's eligibility begins: give a later day": (
        "Le droit aux trajets de cette personne n'a pas encore commencé ce jour-là : choisissez un jour plus lointain."
    ),
    "is after the end of this person's eligibility: give an earlier day, or have it renewed by the coordination": (
        "Le droit aux trajets de cette personne sera terminé ce jour-là : choisissez un jour plus proche, ou faites-le renouveler."
    ),
    "must be one of the purposes that this person's eligibility is for": (
        "Le droit aux trajets de cette personne ne vaut pas pour ce motif : choisissez-en un autre."
    ),
    "must be 2 or more: this person's eligibility is for rides with somebody who comes along": (
        "Le droit aux trajets de cette personne ne vaut qu'avec quelqu'un qui l'accompagne : comptez sa place, donc 2 ou plus."
    ),
    "is in a month for which this person has every ride that the eligibility gives: give a day of another month": (
        "Cette personne a déjà tous les trajets auxquels elle a droit ce mois-là : choisissez un jour d'un autre mois."
    ),
    "valid_until must not be before valid_from": "Le dernier jour ne peut pas venir avant le premier.",
    "temporary needs valid_until: the last day": "Un droit temporaire a un dernier jour : donnez-le.",
    "conditional needs a condition: purposes, rides_a_month or companion": (
        "Un droit sous conditions en a au moins une : des motifs, un nombre de trajets par mois, ou quelqu'un qui accompagne."
    ),
    "unconditional has no conditions: call it conditional, or temporary": (
        "Un droit sans conditions n'en a aucune : dites « sous conditions », ou « temporaire »."
    ),
    "give each purpose once": "Chaque motif ne va qu'une fois dans la liste.",
}
_TELLING = {
    "is not an event (docs/webhooks.md)": "Cet événement n'existe pas (voir docs/webhooks.md).",
    "is needed for a mail, and nothing else has one": "Il faut un objet pour un e-mail, et pour rien d'autre.",
    "must hold {{}} or {{}}: nobody could answer without": "Le texte doit contenir {{{1}}} : sans cela, personne ne pourrait répondre.",
    "has a brace that stands alone; placeholders are {}": "Une accolade est seule. Les repères possibles : {0}.",
    "has an unknown placeholder, the {}. of them; known here are {}": "Le repère n° {0} n'est pas connu. Les repères possibles : {1}.",
    "has doubled braces": "Des accolades sont doublées : n'en laissez qu'une.",
    "must begin with https://": "L'adresse doit commencer par https://.",
    "must hold no user and no password": "L'adresse ne doit contenir ni utilisateur ni mot de passe.",
    "must use port {}": "L'adresse doit utiliser le port {0}.",
    "must name a public host by its name, such as https://hooks.example.org/allons": (
        "Il faut un serveur public désigné par son nom, comme https://hooks.example.org/allons."
    ),
    "is this service itself": "C'est l'adresse de ce service lui-même : donnez celle d'un autre.",
    "must have no part behind # and only plain characters": "L'adresse ne doit contenir ni # ni caractères spéciaux.",
    "must be plain ASCII; write an international name as xn--…": "L'adresse doit être sans accents (un nom international s'écrit xn--…).",
    "is no address": "Ce n'est pas une adresse web.",
    "leads into a private network": "Cette adresse mène à un réseau privé.",
}
FIELDS: Mapping[str, str] = MappingProxyType(
    {**_FORMS, **_TIMES, **_PEOPLE, **_REQUESTS, **_TIME_GIVEN, **_PAPERS, **_SHEETS, **_SERIES, **_ELIGIBILITY, **_TELLING}
)
