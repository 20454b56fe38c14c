"""What a notebook's cell shows: drawings, a map, a ladder that can be plotted. No import is hidden in a result: the verbs return these."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from karvan.markup import html_paragraphs, html_table
from karvan.report import Words
from karvan.report.plots import ladder_plot
from karvan.results import Ladder, write_text_whole

_MAP_HEIGHT_PX = 690


@dataclass(frozen=True, repr=False)
class Drawing:
    """A chart; a notebook shows it, `save` writes it.

    Attributes:
        svg: The chart as the text of an SVG.
        untrusted: What stands in its place in a notebook that is not trusted.
    """

    svg: str
    untrusted: str

    def __repr__(self) -> str:
        return self.untrusted

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: Path | str) -> None:
        """Write it as an SVG file."""
        write_text_whole(Path(path), self.svg)


@dataclass(frozen=True, repr=False)
class MapPage:
    """A map that answers to mouse and keys; a notebook shows it in a frame of its own, `save` writes it as a page.

    Attributes:
        html: The page, whole in itself.
        untrusted: What stands in its place in a notebook that is not trusted.
    """

    html: str
    untrusted: str

    def __repr__(self) -> str:
        return self.untrusted

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="Karvan" sandbox="allow-scripts allow-downloads" style="width:100%;height:{_MAP_HEIGHT_PX}px;border:0"'
            f' srcdoc="{escape(self.html)}">{escape(self.untrusted)}</iframe>'
        )

    def save(self, path: Path | str) -> None:
        """Write it as an HTML file."""
        write_text_whole(Path(path), self.html)


@dataclass(frozen=True)
class ShownLadder(Ladder):
    """A ladder that a notebook shows."""

    def plot(self, kind: str = "relieved", *, language: str = "en") -> Drawing:
        """Rungs on the corridor with the tonnage at which each binds.

        Args:
            kind: `relieved` (each limit is lifted once it binds) or `as_is` (all stand).
            language: `en` or `ru`; others fall back to English.
        """
        words = Words(language)
        return Drawing(ladder_plot(self, kind=kind, words=words), words("notebook.untrusted"))

    def _repr_html_(self) -> str:
        words = Words()
        head = ["facility", "wanted, Mt", "carried, Mt", "one more tonne, USD", "gain, Mt", "gain, M USD a year", "cheapest relief"]
        rows = [
            (
                f"{rung.rung} {rung.facility_name}",
                words.number(rung.latent_mt, 2),
                words.number(rung.realised_mt, 2),
                words.number(rung.shadow_price_usd_per_t) if rung.is_public else words("ladder.unsure"),
                words.number(round(rung.gain_mt, 2) + 0.0, 2),
                words.number(round(rung.gain_musd_per_year) + 0.0, 0),
                rung.relief_measure_title or words("relief.none"),
            )
            for rung in self.relieved
            if rung.is_on_corridor
        ]
        told = f"{self.scenario_id}, {self.year}: {self.today_mt:.2f} Mt today, until {self.to_mt:g} Mt would move without limits."
        return html_paragraphs([told]) + html_table("Each limit lifted once it binds", head, rows)
