"""Numbers and other people's text, as the pages show them."""

import re
from datetime import date

from raft.text import plain
from ratf.results.exams import Exam
from ratf.results.results import Cell, Contrast, Effect
from ratf.statistics.estimates import Estimate

ICONS = {"PASS": "✓", "REGRESSION": "✗", "INCONCLUSIVE": "≈", "NOT MEASURED": "∅"}


def brief(text: str, most: int = 160) -> str:
    """The end of a long text, where an interviewer's question mostly stands, from a whole word on."""
    line = " ".join(plain(text).split())
    if len(line) <= most:
        return line
    return "…" + line[-most:].partition(" ")[2]


def interview_name(title: str, day: str | date | None) -> str:
    """An interview's title, with its date where the title does not say it."""
    return title if not day or str(day) in title else f"{day} · {title}"


def in_markdown(said: str) -> str:
    """Text escaped for Markdown: no table, tag, link, code or mention comes out of it."""
    line = " ".join(plain(said).split()).replace("&", "&amp;").replace("<", "&lt;").replace("@", "&#64;")
    return re.sub(r"([\\`*|]|\]\(|!\[|://)", lambda m: "".join(f"&#{ord(c)};" for c in m[0]), line)


def minus(text: str) -> str:
    """Numbers with minus signs for hyphens, and no zero below zero: `−0.34 [−0.47, 0.00]`; dates keep their hyphens."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", re.sub(r"(?<![\w-])-(?=0\.0+(?!\d))", "", text))


def detectable(found: Contrast | Effect) -> str:
    """The smallest difference that could be seen, to two significant digits."""
    smallest = found.smallest_detectable
    return "n/a" if smallest is None else f"{smallest:.{2 if smallest >= 0.1 else 3}f}"


def value(cell: Cell | Estimate | None) -> str:
    """A mean with as many digits as its interval bears."""
    if cell is None or cell.mean is None:
        return "n/a"
    return _rounded(cell.mean, cell)


def plus(cell: Cell | Estimate | None) -> str:
    """A difference as `value` shows it, with its sign."""
    text = value(cell)
    return f"+{text}" if cell is not None and (cell.mean or 0) > 0 else text


def interval(cell: Cell | Estimate | None, top: float | None = None) -> str:
    """An interval as `0.41 to 0.52`, or `no interval` where there is none.

    One that reaches beyond `top`, the end of the metric's scale, is `≥ 0.98`: no score can be there.
    """
    if cell is None or cell.mean is None or cell.low is None or cell.high is None:
        return "no interval"
    if top is not None and cell.high > top:
        return f"≥ {_rounded(cell.low, cell)}"
    return f"{_rounded(cell.low, cell)} to {_rounded(cell.high, cell)}"


def _rounded(number: float, cell: Cell | Estimate) -> str:
    """To two decimals, or three where two cannot show the interval or on which side of 0 it ends. Never a zero below zero."""
    fine = False
    if cell.low is not None and cell.high is not None:
        fine = (cell.high - cell.low) / 2 < 0.02 or any(0 < abs(end) < 0.005 for end in (cell.low, cell.high))
    text = f"{number:.{3 if fine else 2}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def p_value(p: float | None) -> str:
    """A p-value as `0.013`, never as 0: the least is `< 0.001`."""
    return "n/a" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def beyond(found: Contrast | Effect) -> str:
    """What an interval says of its difference: `more`, `less`, `not separable` from 0, or `n/a` without one."""
    if found.low is None or found.high is None:
        return "n/a"
    return "more" if found.low > 0 else "less" if found.high < 0 else "not separable"


def orders(exam: Exam) -> str:
    """How many must-orders of an exam hold, as `12 of 14 hold`, and which other orders are violated.

    A violated must-order is in the exam's reason.
    """
    must = [o for o in exam.orders if o.must]
    if not must:
        return "none could be tried"
    wrong = [f"{o.lower} above {o.higher}" for o in exam.orders if o.shows == "violated" and not o.must]
    return f"{sum(o.shows == 'holds' for o in must)} of {len(must)} hold" + (f"; {', '.join(wrong)}" if wrong else "")
