"""The texts in French. Each kind has a subject, what is written in a mail or said on the telephone, and a short message.

A line of which a placeholder has nothing to say is left out. Read by `notices.texts`.
"""

from collections.abc import Mapping

from dispatch.model.notices import NoticeKind

GREETING = "Bonjour {prenom},"
SIGNATURE = "{appelez_nous}\nL'équipe de {territoire}"
SPOKEN = "Bonjour, ici {territoire}."
ANSWER, LOOK, ENTER = "Répondre : {lien}", "Voir le détail : {lien}", "{lien}"

#: kind -> subject, sentences, short message
TEXTS: Mapping[NoticeKind, tuple[str, str, str]] = {
    "offer_sent": (
        "Un trajet {jour} : pouvez-vous le faire ?",
        "Pouvez-vous conduire {passager} {jour} à {heure} ?\n{details}\n"
        "Merci de répondre avant {limite}. Si ce n'est pas possible, dites-le simplement : nous demanderons à quelqu'un d'autre.",
        "{prenom}, pouvez-vous conduire {passager} {jour} à {heure} ? Réponse avant {limite} : {lien}\n"
        "Ou répondez OUI {code_reponse} ou NON {code_reponse}.",
    ),
    "offer_reminder": (
        "Rappel : un trajet {jour} attend votre réponse",
        "Nous vous avons proposé de conduire {passager} {jour} à {heure}, et nous attendons encore votre réponse.\n{details}\n"
        "Merci de nous dire oui ou non avant {limite}.",
        "{prenom}, un oui ou un non pour {passager}, {jour} à {heure} ? Avant {limite} : {lien}\n"
        "Ou répondez OUI {code_reponse} ou NON {code_reponse}.",
    ),
    "offer_withdrawn": (
        "Le trajet {jour} n'est plus à faire",
        "Le trajet que nous vous avions proposé {jour} à {heure} n'est plus à faire. Vous n'avez rien à répondre. Merci quand même !",
        "Le trajet proposé {jour} à {heure} n'est plus à faire. Rien à répondre, merci ! {territoire}",
    ),
    "offer_lapsed": (
        "Sans réponse : {jour}, {heure}",
        "{conducteur} n'a pas répondu à temps pour le trajet de {passager} {jour} à {heure}. Le trajet est remis à planifier.",
        "Sans réponse de {conducteur} pour {passager}, {quand}. Trajet remis à planifier.",
    ),
    "run_published": (
        "Votre tournée de {jour}",
        "Votre tournée de {jour} est prête : {trajets}, départ de chez vous à {heure}. Merci !",
        "Votre tournée de {jour} : {trajets}, départ à {heure}. {lien}",
    ),
    "run_changed": (
        "Votre tournée de {jour} a changé",
        "Votre tournée de {jour} a changé : {trajets}, départ de chez vous à {heure}. Merci de regarder la nouvelle feuille de route.",
        "Votre tournée de {jour} a changé : {trajets}, départ à {heure}. {lien}",
    ),
    "run_cancelled": (
        "Votre tournée de {jour} est annulée",
        "Votre tournée de {jour} à {heure} est annulée : vous n'avez pas à prendre la route.\n{motif}",
        "Votre tournée de {jour} à {heure} est annulée. Merci quand même ! {territoire}",
    ),
    "ride_confirmed": (
        "{conducteur} viendra vous chercher {jour}",
        "{conducteur_et_voiture} viendra vous chercher {jour}, {fenetre}.",
        "{conducteur_et_voiture} viendra vous chercher {jour}, {fenetre}. {territoire}\n{lien}\nPour annuler : ANNULER {code_reponse}.",
    ),
    "ride_reminder": (
        "Rappel : {conducteur} vient vous chercher {jour}",
        "Nous vous rappelons votre trajet : {conducteur_et_voiture} vient vous chercher {jour}, {fenetre}.",
        "Rappel : {conducteur_et_voiture} vient vous chercher {jour}, {fenetre}. {territoire}\n"
        "{lien}\nPour annuler : ANNULER {code_reponse}.",
    ),
    "ride_changed": (
        "Votre trajet de {jour} a changé",
        "Votre trajet a changé : {conducteur_et_voiture} viendra vous chercher {jour}, {fenetre}.",
        "Changement : {conducteur_et_voiture} viendra vous chercher {jour}, {fenetre}. {territoire}\n"
        "{lien}\nPour annuler : ANNULER {code_reponse}.",
    ),
    "ride_cancelled": (
        "Votre trajet de {jour} est annulé",
        "Votre trajet de {jour} à {heure} est annulé. Nous sommes désolés.\n{motif}\n"
        "Si vous en avez encore besoin, dites-le-nous : nous cherchons une autre solution avec vous.",
        "Votre trajet de {jour} à {heure} est annulé, désolés. {appelez_nous} {territoire}",
    ),
    "ride_late": (
        "{conducteur} aura un peu de retard",
        "{conducteur} aura un peu de retard et sera chez vous vers {heure}. Merci de votre patience.",
        "{conducteur} aura un peu de retard et sera chez vous vers {heure}. Merci de votre patience. {territoire}\n{lien}",
    ),
    "ride_unmet": (
        "Pas de conducteur pour votre trajet de {jour}",
        "Nous sommes désolés : nous n'avons trouvé personne pour votre trajet de {jour} à {heure}.\n{motif}\n"
        "Une autre heure ou un autre jour convient peut-être mieux : parlons-en.",
        "Désolés, nous n'avons trouvé personne pour {jour} à {heure}. Une autre heure, un autre jour ? {appelez_nous} {territoire}",
    ),
    "request_received": (
        "Nous avons bien reçu votre demande",
        "Nous avons bien reçu votre demande pour {jour} à {heure}. Nous cherchons un bénévole et vous donnons la réponse dès que possible.",
        "Demande bien reçue pour {jour} à {heure}. Nous cherchons un bénévole et vous répondons vite. {territoire}\n{lien}",
    ),
    "request_refused": (
        "Votre demande pour {jour}",
        "Nous sommes désolés : nous ne pouvons pas faire le trajet demandé pour {jour} à {heure}.\n{motif}",
        "Désolés, nous ne pouvons pas faire le trajet de {jour} à {heure}. {motif} {territoire}",
    ),
    "cancel_confirmed": (
        "C'est annulé",
        "C'est noté : le trajet de {jour} à {heure} est annulé.",
        "C'est noté : le trajet de {jour} à {heure} est annulé. {territoire}",
    ),
    "will_call_heard": (
        "Nous arrivons",
        "Nous avons bien entendu que vous êtes prêt à rentrer. Restez au chaud, quelqu'un vient vous chercher.\nComptez environ {minutes}.",
        "Bien reçu, quelqu'un vient vous chercher. Restez au chaud ! {territoire}\n{lien}",
    ),
    "credential_expiring": (
        "Un document à renouveler : {document}",
        "Votre document « {document} » arrive à échéance {echeance}. Merci de nous donner le nouveau avant cette date.",
        "{prenom}, votre document « {document} » arrive à échéance {echeance}. Merci de nous donner le nouveau. {territoire}",
    ),
    "credential_expired": (
        "Un document est périmé : {document}",
        "Votre document « {document} » est périmé. Nous ne pourrons vous confier de trajets qu'avec le nouveau. Merci de nous le donner.",
        "{prenom}, votre document « {document} » est périmé : il nous faut le nouveau avant d'autres trajets. {territoire}",
    ),
    "driver_needed": (
        "Un conducteur manque : {quand}",
        "Il manque un conducteur pour {passager}, {quand}.\n{motif}",
        "Il manque un conducteur pour {passager}, {quand}. {motif}",
    ),
    "legs_reopened": (
        "À replanifier : {trajets}",
        "À replanifier : {trajets}.\n{conducteur} ne peut plus conduire.\nLe premier : {quand}.\n{motif}",
        "À replanifier : {trajets}. {quand}",
    ),
    "login_link": (
        "Votre lien d'accès",
        "Voici votre lien d'accès. Il ne sert qu'une fois ; ne le donnez à personne.",
        "Votre lien d'accès, à usage unique : {lien}",
    ),
    "login_code": (
        "Votre code",
        "Votre code est {code}. Ne le donnez à personne.",
        "Votre code est {code}. Ne le donnez à personne.",
    ),
    "sms_answered": (
        "Votre message",
        "{motif}",
        "{motif} {territoire}",
    ),
}
