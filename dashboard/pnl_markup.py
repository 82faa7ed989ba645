"""Tables of figures as markup: words wrap, figures stand under each other, nothing from outside is ever markup.

For tables that are read like a page: a tax computation, a reconciliation, the printed report. On a narrow screen the
words of a row go below its figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from dashboard.formatting import MISSING
from dashboard.pnl_words import signed_money


class Tone(StrEnum):
    """Beside the sign or the words, never instead of them."""

    PLAIN = ""
    UP = "up"
    DOWN = "down"
    MUTED = "muted"
    WARN = "warn"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Cell:
    """`small`: a second, quiet line."""

    text: str
    tone: Tone = Tone.PLAIN
    small: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A column. `words`: it wraps, and goes below the figures where there is no room beside them."""

    text: str
    number: bool = True
    words: bool = False


Row = Sequence[Cell | str]


def gain(paise: int | None, small: str = "") -> Cell:
    """A result: sign and tone."""
    if paise is None:
        return Cell(MISSING, Tone.MUTED, small)
    tone = Tone.UP if paise > 0 else Tone.DOWN if paise < 0 else Tone.PLAIN
    return Cell(signed_money(paise), tone, small)


def figure_table(
    label: str,
    heads: Sequence[Head],
    rows: Sequence[Row],
    foot: Row | None = None,
    *,
    narrow: bool = False,
    folded: bool = False,
) -> str:
    """The table. `label` names it for screen readers; `narrow`: no wider than it needs to be; `folded`: on a narrow
    screen each figure stands below the row's name, with its column's name before it."""
    classes = [_class(head) + (_named(head) if folded else "") for head in heads]
    top = "".join(f'<th scope="col"{_class(head)}>{escape(head.text)}</th>' for head in heads)
    body = "".join(f"<tr>{_cells(row, classes)}</tr>" for row in rows)
    end = f"<tfoot><tr>{_cells(foot, classes)}</tr></tfoot>" if foot is not None else ""
    kind = "desk-figures narrow" if narrow else "desk-figures"
    if folded:
        kind += " folded"
    if any(head.words for head in heads):
        kind += f" stacked figures-{min(5, sum(head.number and not head.words for head in heads))}"
    return (
        f'<div class="{kind}" tabindex="0"><table aria-label="{escape(label, quote=True)}">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>{end}</table></div>"
    )


def figure_cards(cards: Sequence[tuple[str, Cell]]) -> str:
    """Figures side by side, as many in a row as there is room for: a name, the figure, and what it is made of."""
    drawn = "".join(f"<div><span>{escape(name)}</span><strong>{_text(cell)}</strong></div>" for name, cell in cards)
    return f'<div class="desk-figures desk-cards">{drawn}</div>'


def _class(head: Head) -> str:
    name = "words" if head.words else "number" if head.number else ""
    return f' class="{name}"' if name else ""


def _named(head: Head) -> str:
    return f' data-name="{escape(head.text, quote=True)}"'


def _cells(row: Row, classes: Sequence[str]) -> str:
    cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
    written = [f"<td{name}>{_text(cell)}</td>" for cell, name in zip(cells, classes, strict=True)]
    return written[0].replace("<td", '<th scope="row"', 1)[: -len("</td>")] + "</th>" + "".join(written[1:])


def _text(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.tone is not Tone.PLAIN:
        text = f'<span class="{cell.tone.value}">{text}</span>'
    return text + (f"<small>{escape(cell.small)}</small>" if cell.small else "")


STYLE = """<style>
.desk-figures { overflow-x: auto; font-size: .93rem; line-height: 1.35; font-variant-numeric: tabular-nums }
.desk-figures.narrow { max-width: 40rem }
.desk-figures table { width: 100%; border-collapse: collapse; margin: 0; border: 0 }
.desk-figures th, .desk-figures td { padding: .32rem .6rem; text-align: left; vertical-align: top; font-weight: 400;
  border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 13%, transparent) }
.desk-figures th:first-child { padding-left: 0 }
.desk-figures td:last-child, .desk-figures th:last-child { padding-right: 0 }
.desk-figures thead th { color: color-mix(in srgb, currentColor 66%, transparent); font-size: .85rem;
  vertical-align: bottom; border-bottom: 1px solid color-mix(in srgb, currentColor 30%, transparent) }
.desk-figures thead th, .desk-figures td.number { white-space: nowrap }
.desk-figures thead th.words { white-space: normal }
.desk-figures .number { text-align: right }
.desk-figures .words { min-width: 14rem; width: 45% }
.desk-figures tfoot th, .desk-figures tfoot td { font-weight: 600; border-bottom: 0;
  border-top: 1px solid color-mix(in srgb, currentColor 30%, transparent) }
.desk-figures tbody th { min-width: 8.5rem }
.desk-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem }
.desk-cards > div { border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: 6px;
  padding: .65rem .9rem; min-width: 0 }
.desk-cards > div > span { display: block; font-size: .93rem }
.desk-cards strong { display: block; font-size: 1.3rem; font-weight: 600; line-height: 1.5 }
.desk-cards small { font-weight: 400; line-height: 1.35 }
.desk-figures tbody tr:last-child > * { border-bottom: 0 }
.desk-figures small { display: block; font-size: .82rem; white-space: normal;
  color: color-mix(in srgb, currentColor 66%, transparent) }
.desk-figures .muted { color: color-mix(in srgb, currentColor 66%, transparent) }
.desk-figures .up, .desk-figures .good { color: light-dark(#087f54, #2ebd85) }
.desk-figures .down { color: light-dark(#cf3346, #f0616d) }
.desk-figures .warn { color: light-dark(#92590b, #f2b84b) }
@media screen and (max-width: 640px) {
  .desk-figures.folded thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  .desk-figures.folded tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.25rem; padding: .35rem 0;
    border-bottom: 1px solid color-mix(in srgb, currentColor 13%, transparent) }
  .desk-figures.folded tbody tr > *, .desk-figures.folded tbody tr > .number { border: 0; padding: .05rem 0;
    min-width: 0; text-align: left }
  .desk-figures.folded tbody th { grid-column: 1 / -1; font-weight: 600 }
  .desk-figures.folded tbody td { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 .5rem }
  .desk-figures.folded tbody td::before { content: attr(data-name);
    color: color-mix(in srgb, currentColor 66%, transparent) }
}
@media (max-width: 640px) {
  .desk-figures.stacked tr { display: grid; padding: .3rem 0;
    border-bottom: 1px solid color-mix(in srgb, currentColor 13%, transparent) }
  .desk-figures.figures-2 tr { grid-template-columns: repeat(2, 1fr) }
  .desk-figures.figures-3 tr { grid-template-columns: repeat(3, 1fr) }
  .desk-figures.figures-4 tr { grid-template-columns: repeat(4, 1fr) }
  .desk-figures.figures-5 tr { grid-template-columns: repeat(5, 1fr) }
  .desk-figures.stacked tr > * { border: 0; padding: .05rem 0 }
  .desk-figures.stacked tr > :first-child, .desk-figures.stacked tr > .words { grid-column: 1 / -1; min-width: 0;
    width: auto }
  .desk-figures.stacked thead tr > :first-child, .desk-figures.stacked thead tr > .words,
  .desk-figures.stacked td.words:empty { display: none }
  .desk-figures.stacked thead tr > * { white-space: normal }
  .desk-figures.stacked td.words { color: color-mix(in srgb, currentColor 76%, transparent); font-size: .86rem }
  .desk-figures.stacked tbody tr:last-child { border-bottom: 0 }
}
</style>"""
