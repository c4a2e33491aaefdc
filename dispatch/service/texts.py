"""A territory's own texts: looked at, tried, changed, and given back to what comes with the service.

In: a kind, a language, a form, and a text with placeholders. Out: rows, or faults. Called by the API.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dispatch.errors import BadInput
from dispatch.model.notices import FORMS, KINDS, LANGUAGES, Form, Language, NoticeKind
from dispatch.model.rules import Rules
from dispatch.model.telling import OwnText
from dispatch.notices.compose import Place, invented, words_for
from dispatch.notices.texts import Text, check_text, default_text, fill, placeholders_of
from dispatch.storage.notice_tables import NoticeText
from dispatch.storage.store import Store
from dispatch.world import World


@dataclass(frozen=True, slots=True)
class TextView:
    """One text as the territory has it."""

    kind: NoticeKind
    language: Language
    form: Form
    text: Text
    own: bool  # changed by the territory
    placeholders: Mapping[str, str]  # English name -> French name


def all_texts(store: Store) -> list[TextView]:
    """Every text there is, in a fixed order."""
    own = store.notice_texts()
    return [_view(own.get((kind, language, form)), kind, language, form) for kind in KINDS for language in LANGUAGES for form in FORMS]


def find_text(store: Store, kind: NoticeKind, language: Language, form: Form) -> TextView:
    """One."""
    return _view(store.notice_text(kind, language, form), kind, language, form)


def change_text(store: Store, kind: NoticeKind, language: Language, form: Form, new: OwnText, world: World) -> TextView:
    """Say it in one's own words; BadInput for placeholders that nobody knows, or where nobody could answer."""
    _check(kind, form, new)
    row = store.notice_text(kind, language, form)
    if row is None:
        store.add(NoticeText(id=world.new_id(), kind=kind, language=language, form=form, subject=new.subject, body=new.body))
    else:
        row.subject, row.body = new.subject, new.body
        store.flush()
    return find_text(store, kind, language, form)


def reset_text(store: Store, kind: NoticeKind, language: Language, form: Form) -> None:
    """As it comes with the service."""
    store.forget_text(kind, language, form)


def preview_text(store: Store, kind: NoticeKind, language: Language, form: Form, new: OwnText) -> Text:
    """How a text would read, with invented people; BadInput as `change_text` has it."""
    _check(kind, form, new)
    territory = store.territory()
    facts, person, names, link = invented(kind)
    place = Place(territory.name, territory.timezone, Rules.model_validate(territory.rules).telling.phone)
    words = words_for(kind, facts, language, place, person, names, link)
    return fill(Text(new.subject, new.body), words | {"answer_code": "4821"})


def _check(kind: NoticeKind, form: Form, new: OwnText) -> None:
    if faults := check_text(kind, form, Text(new.subject, new.body)):
        raise BadInput(faults)


def _view(row: NoticeText | None, kind: NoticeKind, language: Language, form: Form) -> TextView:
    text = Text(row.subject, row.body) if row is not None else default_text(kind, language, form)
    return TextView(kind, language, form, text, row is not None, MappingProxyType(placeholders_of(kind)))
