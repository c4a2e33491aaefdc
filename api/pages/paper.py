"""Papers as PDF: A4, set large, in one font that is embedded, tagged so that screen readers tell headings from text and keep their order.

In: paragraphs, each with its size. Out: the bytes of a document. Called by rooms that know what a paper says (`api.pages.run_paper`): here
is how. What belongs together stays on one page, and every page says which it is. DejaVu Sans has Latin, Greek, Cyrillic, Hebrew, Arabic
and more; a sign that it lacks, such as a Chinese one, is a box. Costs half a second, most of it the font.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue, XPos, YPos
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences

from api.pages.static import STATIC
from api.pages.words import WORDS
from dispatch.model.notices import Language

_FONTS = {"": STATIC / "vendor" / "DejaVuSans.ttf", "B": STATIC / "vendor" / "DejaVuSans-Bold.ttf"}
_MARGIN, _FOOT, _TIMES = 16.0, 18.0, 40.0  # mm
_LEADING = 1.25 * 25.4 / 72  # mm of a line for each point of its size
_BOX = "□"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    said: str
    size: float = 12
    bold: bool = False


class Paper(FPDF):
    """A document that grows downwards. `foot` stands at the end of every page, with its number."""

    def __init__(self, title: str, language: Language, foot: str, made_at: dt.datetime) -> None:
        super().__init__(format="A4")
        self._foot, self._words = foot, WORDS[language]
        self.set_title(title)
        self.set_lang(language)
        self.set_creator("Allons")
        self.set_creation_date(made_at)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(True, margin=_FOOT)
        for style, path in _FONTS.items():
            self.add_font("paper", style, path)
        signs = (frozenset(font.cmap) for font in self.fonts.values() if isinstance(font, TTFFont))
        self._signs = frozenset.intersection(*signs)
        self.add_page()

    def footer(self) -> None:
        """Of every page; fpdf2 calls it."""
        self.set_y(5 - _FOOT)
        self.set_text_shaping(False)  # fpdf2 counts pages in plain text only
        self.set_font("paper", "", 9)
        which = self._words["paper_page"].format(page=self.page_no(), pages="{nb}")
        with self._tagged(None):
            self.cell(0, 5, f"{self._readable(self._foot)} · {which}", align="C")

    def head(self, text: Text) -> None:
        """What the paper is."""
        self.start_section(text.said, 0)
        self._draw("H1", [text], _MARGIN)

    def say(self, *texts: Text) -> None:
        """Paragraphs from edge to edge."""
        for text in texts:
            self._keep([text], _MARGIN)
            self._draw("P", [text], _MARGIN)

    def step(self, time: str, name: str, heads: Sequence[Text], texts: Sequence[Text]) -> None:
        """A time, and beside it what happens then: heads first. `name` is what the outline calls it."""
        self._keep([*heads, *texts], _MARGIN + _TIMES, above=6)
        with self._tagged(None):
            self.set_draw_color(150)
            self.line(_MARGIN, self.y + 2, self.w - _MARGIN, self.y + 2)
        self.y += 4
        self.start_section(name, 1)
        self._draw("H2", heads, _MARGIN + _TIMES, beside=Text(time, 18, bold=True))
        for text in texts:
            self._keep([text], _MARGIN + _TIMES)
            self._draw("P", [text], _MARGIN + _TIMES)

    def fill(self, *labels: str) -> None:
        """Lines to write on, side by side."""
        texts = [Text(label, 11) for label in labels]
        width = self.epw / len(texts)
        self._keep(texts[:1], _MARGIN, above=8)
        top = self.y + 4
        for k, text in enumerate(texts):
            left = _MARGIN + k * width
            self.y = top
            self._draw("P", [text], left)
            with self._tagged(None):
                self.line(left + self.get_string_width(text.said) + 4, top + 5, left + width - 4, top + 5)
        self.y = top + 8

    def written(self) -> bytes:
        """All of it."""
        return bytes(self.output())

    def _keep(self, texts: Sequence[Text], left: float, above: float = 0) -> None:
        """Begin a page if these do not fit on what is left of this one."""
        height = above + sum(self._put(text, left, drawn=False) for text in texts)
        if self.y + height > self.page_break_trigger and self.y > _MARGIN:
            self.add_page()

    def _draw(self, kind: str, texts: Sequence[Text], left: float, beside: Text | None = None) -> None:
        with self._tagged(kind):
            top = lowest = self.y
            if beside is not None:
                self._put(beside, _MARGIN)
                lowest, self.y = self.y, top
            for text in texts:
                self._put(text, left)
            self.y = max(self.y, lowest)

    def _put(self, text: Text, left: float, *, drawn: bool = True) -> float:
        """How high it is."""
        said = self._readable(text.said)
        self.set_font("paper", "B" if text.bold else "", text.size)
        self.set_text_shaping(any(unicodedata.bidirectional(sign) in ("R", "AL", "AN") for sign in said))
        self.x = left
        how = {"align": Align.L, "new_x": XPos.LMARGIN, "new_y": YPos.NEXT, "output": MethodReturnValue.HEIGHT}
        return cast("float", self.multi_cell(0, text.size * _LEADING, said, dry_run=not drawn, **how))  # type: ignore[arg-type]

    def _readable(self, said: str) -> str:
        """What can be seen of a text: no sign that turns others round or is none, and a box for what the font lacks."""
        seen = (sign for sign in unicodedata.normalize("NFC", said) if sign.isprintable())
        return "".join(sign if ord(sign) in self._signs else _BOX for sign in seen)

    @contextmanager
    def _tagged(self, kind: str | None) -> Iterator[None]:
        """What is drawn in here is one element of the document's structure; none: of the page only, and not read out."""
        if kind is None:
            self._out("/Artifact BMC")
        else:
            number = self.struct_builder.next_mcid_for_page(self.page)
            tree = self.struct_builder.add_marked_content(page_number=self.page, struct_type=f"/{kind}", mcid=number)
            self.pages[self.page].struct_parents = tree[1]
            self._out(f"/{kind} <</MCID {number}>> BDC")
        yield
        self._out("EMC")
