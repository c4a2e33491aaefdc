"""Sentences that errors say by themselves, and what to do next, in French. English -> French."""

from collections.abc import Mapping
from types import MappingProxyType

#: What an error is when nothing more is known.
_KINDS = {
    "See errors.": "Des informations sont à corriger.",
    "and {} more": "et {0} autres",
    "Some of the information cannot be used.": "Certaines informations ne conviennent pas.",
    "There is no such thing here.": "Cela n'existe pas ici, ou plus.",
    "This has changed in the meantime.": "Cela a changé entre-temps.",
    "This step is not possible in the present state.": "Cette étape n'est pas possible dans l'état actuel.",
    "Somebody else has changed this since you read it.": "Quelqu'un d'autre a changé cela depuis que vous l'avez lu.",
    "A change must say which version it is based on.": "Un changement doit dire sur quelle version il se fonde.",
    "This Idempotency-Key came before with another request.": "Cette Idempotency-Key a déjà servi à une autre demande.",
    "Too many calls in too short a time.": "Trop d'appels en trop peu de temps.",
    "You may not do this.": "Votre compte ne permet pas de le faire.",
    "A valid key is needed here.": "Il faut une clé valable, ou une connexion.",
    "The password is right; the code of the second factor is needed too.": (
        "Le mot de passe est bon ; il faut aussi le code à six chiffres."
    ),
    "The service cannot work at the moment.": "Le service ne peut pas travailler pour l'instant.",
    "The service that finds places does not answer.": "Le service qui trouve les lieux ne répond pas.",
    "The work could not be done.": "Une erreur de notre part : cela n'a pas pu être fait.",
}
#: What to do next.
_ACTIONS = {
    "Try again; if it happens again, tell the platform's manager.": (
        "Réessayez ; si cela se reproduit, prévenez le responsable de la plateforme."
    ),
    "Mend the fields that are named and send it again.": "Corrigez les champs indiqués, puis envoyez de nouveau.",
    "Check the id; it may belong to another territory.": (
        "Rechargez la page, ou vérifiez l'identifiant : il est peut-être d'un autre territoire."
    ),
    "Read it again, then decide anew.": "Regardez où cela en est, puis décidez à nouveau.",
    "Read it again, look at what is new, then change it with the ETag of that answer.": (
        "Rouvrez la fiche, regardez ce qui est nouveau, puis refaites votre changement (avec le nouvel ETag)."
    ),
    "Read it first, and send the ETag of that answer as If-Match.": "Lisez d'abord la fiche, puis renvoyez son ETag dans If-Match.",
    "Make a new key for each new request; send the same key only to repeat the same request.": (
        "Faites une nouvelle clé pour chaque nouvelle demande ; la même clé ne sert qu'à répéter la même demande."
    ),
    "Wait for the number of seconds in Retry-After.": "Attendez un moment, puis réessayez (Retry-After dit combien de secondes).",
    "Ask the platform's manager for a key with the right role.": "Demandez ce droit au responsable de la plateforme.",
    "Nothing was changed. Run the round again; if it fails twice, lower its size or tell the manager.": (
        "Rien n'a été changé. Relancez la planification ; si elle échoue encore, prévenez le responsable."
    ),
    "Log in, or send the header `Authorization: Bearer …` with a key made by `allons keys add`.": (
        "Connectez-vous, ou envoyez l'en-tête `Authorization: Bearer …` avec une clé faite par `allons keys add`."
    ),
    "Send it again with the six digits that the application on your phone shows.": (
        "Envoyez de nouveau, avec les six chiffres que montre l'application de votre téléphone."
    ),
    "Try again in a minute; if it stays so, tell the platform's manager.": (
        "Réessayez dans une minute ; si rien ne change, prévenez le responsable de la plateforme."
    ),
    "Look at the sentence above, mend the input and try again.": "Lisez la phrase ci-dessus, corrigez, puis réessayez.",
    "Download the extract again (.osm.pbf, .osm, .osm.gz or .osm.bz2) and rebuild.": (
        "Téléchargez de nouveau l'extrait (.osm.pbf, .osm, .osm.gz ou .osm.bz2) et refaites le réseau."
    ),
    "Choose an extract that covers the territory and was not filtered to other objects.": (
        "Choisissez un extrait qui couvre le territoire et qui contient les routes."
    ),
    "Build it again with `allons roads build`, from the extract.": "Refaites-le avec `allons roads build`, à partir de l'extrait.",
    "Build it again with `allons roads build FILE.osm.pbf`.": "Refaites-le avec `allons roads build FICHIER.osm.pbf`.",
    "Check the spelling and the internet connection, or load an extract file instead.": (
        "Vérifiez l'orthographe et la connexion, ou prenez plutôt un fichier d'extrait."
    ),
    "Give a CSV file with the columns from_lon, from_lat, to_lon, to_lat and seconds, one line per trip.": (
        "Donnez un fichier CSV avec les colonnes from_lon, from_lat, to_lon, to_lat et seconds, une ligne par trajet."
    ),
    "Build it again with `allons roads build FILE.osm.pbf`, with a Python whose SQLite has FTS5.": (
        "Refaites-le avec `allons roads build FICHIER.osm.pbf`, avec un Python dont SQLite a FTS5."
    ),
    "Give the point on the map, or try again in a minute.": "Placez le point sur la carte, ou réessayez dans une minute.",
}
_ASKING = {
    "This volunteer is not free any more, or it is too late for this ride.": (
        "Ce bénévole n'est plus libre, ou il est trop tard pour ce trajet : choisissez quelqu'un d'autre."
    ),
    "This volunteer was asked about it before: say why again.": (
        "Ce bénévole a déjà été sollicité pour ce trajet : dites pourquoi le redemander."
    ),
    "This ride does not fit into the run of this volunteer.": "Ce trajet ne tient pas dans la tournée de ce bénévole.",
    "Somebody has agreed to drive this, or it is over.": "Quelqu'un a accepté ce trajet, ou il est terminé.",
    "Has given no time on that day.": "Ce bénévole n'a pas donné de disponibilité ce jour-là.",
    "The run has to be planned again first.": "La tournée de ce bénévole est à replanifier d'abord.",
    "A round of this day is at work: try again in a moment.": "Une planification de ce jour est en cours : réessayez dans un instant.",
    "This offer has lapsed; somebody else is being asked.": "Le délai de réponse est passé : nous demandons à quelqu'un d'autre.",
    "This question was answered, or is not open any more.": "Cette proposition a déjà sa réponse, ou n'est plus ouverte.",
    "This offer was answered, or is not open any more.": "Cette proposition a déjà sa réponse, ou n'est plus ouverte.",
    "Some of these rides are not asked about any more: please look again.": (
        "Certains de ces trajets ne sont plus proposés : regardez de nouveau, s'il vous plaît."
    ),
    "The same volunteer is needed there and back: please answer for both ways together.": (
        "L'aller et le retour demandent le même bénévole : répondez pour les deux ensemble."
    ),
    "The same volunteer is needed there and back: choose both ways together.": (
        "L'aller et le retour demandent le même bénévole : choisissez les deux ensemble."
    ),
    "Some of these rides have changed meanwhile: look at the proposal again.": (
        "Certains de ces trajets ont changé entre-temps : relisez la proposition."
    ),
    "Another worker has this round.": "Cette planification est déjà en cours ailleurs.",
    "Another worker has taken this round over.": "Cette planification a été reprise ailleurs.",
}
_PAIRS = {
    "These two do not ride together: lift that first.": "Ces deux personnes ne roulent pas ensemble : levez d'abord ce refus.",
    "A volunteer is preferred by, or knows, {} people at most: take somebody off first.": (
        "Un bénévole est préféré ou connu de {0} personnes au plus : retirez d'abord quelqu'un."
    ),
}
_RIDES = {
    "This series is over.": "Cette série est terminée.",
    "No day of this series is skipped then.": "Aucune date de cette série n'est suspendue ces jours-là.",
    "A volunteer has agreed to drive on that day: cancel that ride first, or say also_promised=true.": (
        "Un bénévole a accepté le trajet de ce jour : annulez d'abord ce trajet (ou demandez-le avec also_promised=true)."
    ),
    "This person already has a request for this moment.": "Cette personne a déjà une demande à ce moment : regardez-la d'abord.",
    "The time of this way back is known, or it is over.": "L'heure de ce retour est déjà connue, ou il est terminé.",
    "Nothing of this request is left to be cancelled.": "Il ne reste rien à annuler dans cette demande.",
    "Only a run that has begun, and is not over, has a position.": "Une position ne s'envoie que pendant une tournée, entre départ et fin.",
    "Nobody drives this ride.": "Personne n'a ce trajet en charge.",
    "Only the coordination says that a ride was missed.": "Seule la coordination peut dire qu'un trajet a été manqué.",
    "This ride cannot be over before it begins.": "Ce trajet ne peut pas être terminé avant d'avoir commencé.",
    "A no-show is noted by whoever has arrived: tap that first.": "Avant de noter une absence, dites d'abord que vous êtes sur place.",
    "Please wait {} minutes after the time that was told, and call.": (
        "Attendez {0} minutes après l'heure annoncée et appelez la personne, puis notez son absence."
    ),
    "This id was used for another tap.": "Cet identifiant a déjà servi à une autre étape.",
    "This volunteer is on the way with rides that this would take away: wait for the end of the run, or note there who stays away.": (
        "Ce bénévole est en route avec des trajets que cela lui retirerait : attendez la fin de sa tournée, ou notez-y qui est absent."
    ),
    "This volunteer is on the way: wait for the end of the run.": "Ce bénévole est en route : attendez la fin de sa tournée.",
    "This person has rides to come: cancel them first.": "Cette personne a des trajets à venir : annulez-les d'abord.",
}
_FILES = {
    "A territory of this name exists already.": "Un territoire de ce nom existe déjà : choisissez un autre nom.",
    "This overlaps a span that was given before.": "Cela chevauche une disponibilité déjà donnée : changez l'une ou l'autre.",
    "There are too many absences ahead: remove some, or give a longer one.": (
        "Il y a trop d'absences à venir : enlevez-en, ou donnez-en une plus longue."
    ),
    "There are too many papers that nobody has looked at yet.": (
        "Trop de justificatifs attendent déjà d'être vérifiés : attendez qu'ils le soient."
    ),
    "Somebody has looked at this paper: hand in a new one.": "Ce justificatif a déjà été examiné : donnez-en un nouveau.",
    "This call has been made, or is not needed any more.": "Cet appel a déjà été fait, ou n'est plus utile.",
    "Somebody has read this already.": "Quelqu'un a déjà lu ce message.",
    "There are {} addresses already: remove one first.": "Il y a déjà {0} adresses : enlevez-en une d'abord.",
    "This address has an account already.": "Cette adresse a déjà un compte.",
}
_DOORS = {
    "The address or the password is not right.": "L'adresse ou le mot de passe n'est pas bon.",
    "The code is not right, or was used before.": "Le code n'est pas bon, ou il a déjà servi : prenez le suivant.",
    "This address has no account here.": "Cette adresse n'a pas de compte ici.",
    "This link has been used, or is too old.": "Ce lien a déjà servi, ou il est trop ancien : demandez-en un nouveau.",
    "You have been logged out: log in again.": "Vous avez été déconnecté : connectez-vous de nouveau.",
    "This login took too long: begin again.": "La connexion a pris trop de temps : recommencez.",
    "This login was not begun here: begin again.": "Cette connexion n'a pas été commencée ici : recommencez.",
    "No identity provider is set here.": "La connexion par votre organisation n'est pas proposée ici.",
    "The identity provider did not vouch for anybody.": "Votre organisation n'a pas confirmé la connexion : recommencez.",
    "The identity provider does not vouch for an e-mail address.": "Votre organisation ne confirme pas l'adresse e-mail.",
    "The identity provider does not answer.": "Le service de connexion de votre organisation ne répond pas.",
    "The identity provider is not the one that was set.": "Le service de connexion n'est pas celui qui a été réglé.",
    "The identity provider names addresses that do not begin with https://.": (
        "Le service de connexion donne des adresses qui ne commencent pas par https://."
    ),
    "Keys that are limited to scopes cannot do this.": "Une clé limitée à certains droits ne peut pas le faire.",
    "This key is not good for {}.": "Cette clé ne donne pas ce droit : {0}.",
    "This was not sent from a page of this service.": "Cela n'a pas été envoyé depuis une page de ce service.",
    "The header X-CSRF-Token is missing or wrong: load the page again.": (
        "Cette page est trop ancienne : rechargez-la (en-tête X-CSRF-Token)."
    ),
    "An admin's key belongs to no territory: use a key of the territory.": (
        "La clé d'un administrateur n'est d'aucun territoire : prenez une clé du territoire."
    ),
    "An admin's account is made on the command line.": "Le compte d'un administrateur se crée en ligne de commande.",
    "Only an admin gives a territory to other workers: leave queue as it is.": (
        "Seul un administrateur confie un territoire à d'autres machines : laissez « queue » comme il est."
    ),
}
#: Of the guard, which looks at what is sent before anybody else does.
_GUARD = {
    "At most {} KiB are taken.": "C'est trop grand : {0} Kio au plus.",
    "At most {} KiB are taken before the body.": "L'en-tête et l'adresse sont trop longs : {0} Kio au plus.",
    "The length of the body is given twice, in two ways.": "La longueur du message est donnée deux fois, de deux façons.",
    "The header Host names no host.": "L'en-tête Host ne désigne aucun serveur.",
    "Send {}: Content-Type: {}.": "Envoyez {0} (Content-Type: {1}).",
    "Nested deeper than {} levels.": "Le message a plus de {0} niveaux d'imbrication.",
    "This is not strict JSON: check quotes, commas, names given twice, NaN.": (
        "Ce n'est pas du JSON strict : vérifiez les guillemets, les virgules, les noms donnés deux fois, NaN."
    ),
}
_SERVICES = {
    "This process serves no more streams at the moment.": "Trop de pages suivent la journée en direct : réessayez dans un instant.",
    "Too many watch this territory at once.": "Trop de pages suivent ce territoire en direct : fermez-en, puis réessayez.",
    "The database takes no more for the moment.": "La base de données est saturée pour l'instant.",
    "The database does not answer.": "La base de données ne répond pas.",
    "The database's tables are of another version: run `allons migrate`.": (
        "Les tables de la base de données sont d'une autre version : lancez `allons migrate`."
    ),
    "The database cannot be opened or written.": "La base de données ne peut pas être ouverte ou écrite.",
    "The migration would have lost what rows refer to; nothing was changed.": "La migration aurait perdu des liens ; rien n'a été changé.",
    "The key that opens names is not there: set ALLONS_VAULT_KEY.": "La clé qui ouvre les noms manque : réglez ALLONS_VAULT_KEY.",
    "The vault's key is not the one this database was sealed with.": "La clé du coffre n'est pas celle de cette base de données.",
    "The service that finds places answered {}.": "Le service qui trouve les lieux a répondu {0}.",
    "The service that finds places answered something else than JSON.": "Le service qui trouve les lieux a mal répondu.",
    "The service that finds places is asked once a second, and others are before.": (
        "Le service qui trouve les lieux est très demandé : réessayez dans un instant."
    ),
}
REFUSALS: Mapping[str, str] = MappingProxyType(
    {**_KINDS, **_ACTIONS, **_ASKING, **_PAIRS, **_RIDES, **_FILES, **_DOORS, **_GUARD, **_SERVICES}
)
