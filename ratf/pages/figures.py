"""Figures for papers: one style, as SVG with its letters as paths or as PDF with its fonts inside."""

import io
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from raft.errors import RaftError
from raft.text import plain
from ratf.suite.metrics import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Format = Literal["svg", "pdf"]
Kind = Literal["ahead", "usual", "aside"]
WIDTH = 5.5
"""The width of every figure in inches: the text width of most papers with one column."""


ROW, HEAD = 0.21, 0.62
"""The height of a row of intervals, and of title and axis together, in inches."""


PANEL, COLUMNS = 1.75, 2
"""The height of a panel in inches, and the greatest number of panels side by side."""


LONGEST = 60
"""The greatest number of letters of a name; a longer one is cut."""


COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73")
"""Told apart by readers who do not see all colours (Okabe & Ito 2008). Marks and dashes tell them apart without colour."""


CEILING_WORD, FLOOR_WORD = "ceiling", "floor"
MARKS, DASHES = ("o", "s", "^", "D"), ("-", "--", ":", "-.")
GREY = "#555555"
_UNDRAWN = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""What is no letter, and may stand in no file of XML."""
STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same letters on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "text.parse_math": False,  # a name with two $ in it is no formula
    "text.usetex": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "ratf",
    "pdf.fonttype": 42,  # TrueType: publishers refuse fonts of type 3
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
"""The style of all figures: matplotlib's settings, over its defaults whatever the user's own are."""


@dataclass(frozen=True)
class Row:
    """A mean or difference with its interval, in percent of the axis; `told` says the numbers."""

    name: str
    at: float
    low: float
    high: float
    told: str
    kind: Kind = "usual"


@dataclass(frozen=True)
class Rows:
    """A figure of intervals, one under the other on one axis. Ticks and marks are places in percent with their words."""

    name: str
    title: str
    rows: Sequence[Row]
    ticks: Sequence[tuple[float, str]]
    marks: Sequence[tuple[float, str]] = ()
    words: str = ""
    """What stands under the axis."""


@dataclass(frozen=True)
class Line:
    """Points joined in order, each with the ends of its interval, or None. `style` counts through marks and dashes."""

    name: str
    points: Sequence[tuple[float, float]]
    ends: Sequence[tuple[float, float] | None] = ()
    style: int = 0
    joined: Sequence[Sequence[tuple[float, float]]] | None = None
    """The parts of a line that breaks; None for one that does not."""
    dots: bool = True
    faint: bool = False


@dataclass(frozen=True)
class Panel:
    """One box of lines. `breaks` are places across where the lines break."""

    title: str
    lines: Sequence[Line]
    breaks: Sequence[float] = ()


@dataclass(frozen=True)
class Panels:
    """A figure of boxes on the same scales: `across` and `up` are the ends of the axes, left to right and bottom to top."""

    name: str
    title: str
    panels: Sequence[Panel]
    across: tuple[float, float]
    up: tuple[float, float]
    bottom: Sequence[tuple[float, str]]
    left: Sequence[tuple[float, str]]
    below: str = ""
    beside: str = ""


Figure = Rows | Panels


def heading(metric: str, failed: bool, lower: bool) -> str:
    """A metric's title over a figure or a column, with what a reader must know of it."""
    said = f"{title(metric)} (not admitted in its exam)" if failed else title(metric)
    return f"{said}, lower is better" if lower else said


def over_runs(line: dict[str, Any]) -> Line:
    """A line of `ratf.pages.lines.line` as a figure has it."""
    return Line(
        name="mean, 95 % interval",
        points=[(at["x"], at["y"]) for at in line["points"]],
        ends=[(at["low"], at["high"]) for at in line["points"]],
        joined=[corners(s) for s in line["segments"]],
    )


def corners(told: str) -> list[tuple[float, float]]:
    """The corners of a part of such a line."""
    return [(float(x), float(y)) for x, _, y in (pair.partition(",") for pair in told.split())]


def drawn(figures: Iterable[Figure], kind: Format, tell: Callable[[str], object] = lambda _: None) -> dict[str, bytes]:
    """Draw the figures, and return their files by name. The same figures give the same bytes with the same matplotlib.

    `tell` gets a sentence where a name has letters that the font lacks. Raises RaftError where matplotlib is not installed.
    """
    try:
        import matplotlib.style
    except ImportError as error:
        raise RaftError(
            "figures are drawn by matplotlib, which is not installed; install it with RATF's extra `figures`: "
            "pip install 'ratf-eval[figures]', or from RATF's folder: pip install 'FOLDER[figures]'"
        ) from error
    made: dict[str, bytes] = {}
    missing: set[str] = set()
    with matplotlib.style.context(["default", STYLE]):
        for figure in figures:
            made[_free(figure.name, kind, made)] = _bytes(figure, kind, missing)
    if missing:
        letters = " ".join(sorted(missing)[:20])
        tell(
            f"the font of figures, DejaVu Sans, lacks {len(missing)} of the letters in them ({letters}): boxes stand there"
        )
    return made


def _free(name: str, kind: str, taken: Iterable[str]) -> str:
    """A file's name, whatever is in it: no path comes out of it, and no two are the same."""
    stem = re.sub(r"[^\w.-]+", "-", plain(name)).strip("-.")[:80] or "figure"
    names = [f"{stem}.{kind}", *(f"{stem}-{n}.{kind}" for n in range(2, 1000))]
    return next(n for n in names if n not in set(taken))


def _bytes(figure: Figure, kind: Format, missing: set[str]) -> bytes:
    from matplotlib.figure import Figure as New

    canvas = New(layout="constrained")
    if isinstance(figure, Rows):
        _draw_rows(canvas, figure)
    else:
        _draw_panels(canvas, figure)
    about = {"Title": words(figure.title), "Date" if kind == "svg" else "CreationDate": None}
    file = io.BytesIO()
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        canvas.savefig(file, format=kind, metadata=about)
    missing |= {chr(int(m[1])) for w in found if (m := re.match(r"Glyph (\d+) .*missing", str(w.message)))}
    return file.getvalue()


def words(text: str) -> str:
    """Somebody's text as a figure shows it: one line, no control characters, at most LONGEST letters."""
    line = " ".join(_UNDRAWN.sub("�", plain(text)).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _draw_rows(canvas: "Canvas", figure: Rows) -> None:
    canvas.set_size_inches(WIDTH, HEAD + ROW * (len(figure.rows) + bool(figure.marks)))
    axes = canvas.add_subplot()
    for at, row in enumerate(figure.rows):
        colour = GREY if row.kind == "aside" else COLOURS[row.kind == "ahead"]
        y = len(figure.rows) - 1 - at
        axes.plot([row.low, row.high], [y, y], color=colour, linewidth=1.2, solid_capstyle="butt")
        axes.plot([row.at], [y], marker="o", color=colour, markerfacecolor="white" if row.kind == "aside" else colour)
        weight = "bold" if row.kind == "ahead" else "normal"
        axes.text(
            1.015, y, words(row.told), transform=axes.get_yaxis_transform(), va="center", fontsize=7, weight=weight
        )
    names = [words(row.name) for row in figure.rows]
    axes.set_yticks(range(len(names) - 1, -1, -1), labels=names, fontsize=7.5)
    for label, row in zip(axes.get_yticklabels(), figure.rows, strict=True):
        label.set_fontweight("bold" if row.kind == "ahead" else "normal")
        label.set_color(GREY if row.kind == "aside" else "black")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xticks([at for at, _ in figure.ticks], labels=[words(t) for _, t in figure.ticks])
    _marks(axes, figure.marks)
    axes.set_xlabel(words(figure.words))
    canvas.suptitle(words(figure.title), x=0.01, ha="left", fontsize=8, fontweight="bold")


def _marks(axes: "Axes", marks: Sequence[tuple[float, str]]) -> None:
    """Upright lines with their words above, which point away from each other."""
    ordered = sorted(marks)
    for n, (at, said) in enumerate(ordered):
        axes.axvline(at, color=GREY, linewidth=0.8, linestyle=DASHES[1 + (said == CEILING_WORD)], zorder=0)
        side = "center" if len(ordered) == 1 else "right" if n == 0 and at > 15 else "left"
        axes.text(
            at, 1.0, words(said), transform=axes.get_xaxis_transform(), ha=side, va="bottom", fontsize=7, color=GREY
        )


def _draw_panels(canvas: "Canvas", figure: Panels) -> None:
    columns = min(COLUMNS, len(figure.panels))
    rows = -(-len(figure.panels) // columns)
    canvas.set_size_inches(WIDTH, 0.45 + PANEL * rows + (0.6 if columns == 1 else 0))
    boxes = canvas.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes in boxes.flat[len(figure.panels) :]:
        axes.set_visible(False)
    for at, (axes, panel) in enumerate(zip(boxes.flat, figure.panels, strict=False)):
        axes.set_title(words(panel.title), fontweight="normal")
        for place in panel.breaks:
            axes.axvline(place, color=GREY, linewidth=0.6, linestyle=":")
        for line in panel.lines:
            _draw_line(axes, line)
        axes.set_xlim(*figure.across)
        axes.set_ylim(*figure.up)
        axes.set_xticks([x for x, _ in figure.bottom], labels=[words(t) for _, t in figure.bottom])
        axes.set_yticks([y for y, _ in figure.left], labels=[words(t) for _, t in figure.left])
        axes.grid(axis="y", color="#dddddd", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.tick_params(axis="x", labelbottom=at + columns >= len(figure.panels))
    shown = boxes.flat[0].get_legend_handles_labels()
    head = canvas.legend(  # the title is the key's: two headings outside the boxes would lie on one another
        *shown,
        loc="outside upper left",
        ncols=3,
        handlelength=3,
        title=words(figure.title),
        alignment="left",
        borderpad=0,
    )
    head.get_title().set(fontsize=8, fontweight="bold")
    canvas.supxlabel(words(figure.below), fontsize=7.5)
    canvas.supylabel(words(figure.beside), fontsize=7.5)


def _draw_line(axes: "Axes", line: Line) -> None:
    colour = GREY if line.faint else COLOURS[line.style % len(COLOURS)]
    look: dict[str, Any] = {
        "color": colour,
        "linewidth": 0.5 if line.faint else 1.1,
        "linestyle": DASHES[line.style % len(DASHES)],
    }
    for part in [line.points] if line.joined is None else line.joined:
        axes.plot([x for x, _ in part], [y for _, y in part], **look)
    for (x, _), ends in zip(line.points, line.ends, strict=False):
        if ends is not None:
            axes.plot([x, x], ends, color=colour, linewidth=0.9)
    mark = MARKS[line.style % len(MARKS)] if line.dots else ""
    if line.dots:
        axes.plot(
            [x for x, _ in line.points],
            [y for _, y in line.points],
            color=colour,
            linestyle="",
            marker=mark,
            clip_on=False,
        )
    axes.plot([], [], **look, marker=mark, label=words(line.name))  # for the key
