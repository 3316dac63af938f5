"""The questions of a run in short: what finds them in a list, and the flags by which a reader filters them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import pstdev

from raft.text import plain
from ratf.results.results import Question, Results

AT_ODDS = ("style", "judge", "semantic", "lexical")
"""The families of metrics that claim to tell something of the answer; length and copying are facts about it."""


LETTERS = 80
"""The greatest number of letters of a text that stand in a line about it."""


ASKED_LETTERS = 96
"""The greatest number of letters of a question that stand in a list of thousands."""


Gaps = Mapping[str, float]
"""How much better one primary arm's answer is than the other's, by metric."""


@dataclass(frozen=True)
class Brief:
    """A question in a list; `place` numbers its interview, `difference` is the primary arms', better − than."""

    id: str
    interview_id: str
    interview: str
    place: int
    date: str | None
    topic: str
    words: str
    difference: float | None
    flags: list[str]


def briefs(results: Results, fell: Collection[str] = ()) -> list[Brief]:
    """All questions in short, in the results' order. Reads the questions once.

    Flags: `unscored`, a metric that scored other answers of an arm could not score this one; `disagree`, metrics of two
    families, or a judge's votes, say opposite things of it; `regressed`, it is among those that `fell` against a reference run.
    """
    primary = results.suite["primary"]["metric"]
    sign = -1 if results.metrics[primary]["better"] == "lower" else 1
    places: dict[str, int] = {}
    read = [
        (
            (
                q.id,
                q.interview_id,
                q.interview,
                places.setdefault(q.interview_id, len(places)),
                q.date,
                plain(q.topic),
                ending(q.question),
            ),
            _gaps(results, q),
            _own(results, q) | ({"regressed"} if q.id in fell else set()),
        )
        for q in results.questions
    ]
    spreads = _spreads([gaps for _, gaps, _ in read])
    return [
        Brief(
            *about,
            difference=round(sign * gaps[primary], 4) if primary in gaps else None,
            flags=sorted(own | ({"disagree"} if _at_odds(results, gaps, spreads) else set())),
        )
        for about, gaps, own in read
    ]


def flags(results: Results, fell: Collection[str] = ()) -> dict[str, list[str]]:
    """The flags of each question, see `briefs`."""
    return {brief.id: brief.flags for brief in briefs(results, fell)}


def beginning(text: str, letters: int = LETTERS) -> str:
    """The first letters of a text, cut between words where there are any; no more bytes than half as many again."""
    line = " ".join(text[: 4 * letters].split())
    if len(line) <= letters and len(line.encode()) <= 1.5 * letters:
        return line
    cut = line[:letters].encode()[: letters * 3 // 2].decode(errors="ignore")
    return (cut[: cut.rfind(" ")] if " " in cut[letters // 2 :] else cut) + "…"


def ending(text: str, letters: int = ASKED_LETTERS) -> str:
    """The last letters of a text, where an interviewer's question mostly stands; else as `beginning`."""
    line = " ".join(text[-4 * letters :].split())
    if len(line) <= letters and len(line.encode()) <= 1.5 * letters and len(text) <= 4 * letters:
        return line
    cut = line[-letters:].encode()[-(letters * 3 // 2) :].decode(errors="ignore")
    return "…" + (cut.partition(" ")[2] if " " in cut[: letters // 2] else cut)


def _gaps(results: Results, question: Question) -> dict[str, float]:
    """The primary arms' difference, better − than, turned so that more is better, on each metric that scored both."""
    pair = results.suite["primary"]
    a, b = (question.answers.get(pair[side]) for side in ("better", "than"))
    if a is None or b is None:
        return {}
    found = {}
    for name, facts in results.metrics.items():
        values = [s.value for answer in (a, b) if (s := answer.scores.get(name))]
        if len(values) == 2 and values[0] is not None and values[1] is not None:
            found[name] = (values[0] - values[1]) * (-1 if facts["better"] == "lower" else 1)
    return found


def _spreads(gaps: Sequence[Gaps]) -> dict[str, float]:
    """The standard deviation of each metric's differences over the questions."""
    names = dict.fromkeys(name for one in gaps for name in one)
    return {name: pstdev([one[name] for one in gaps if name in one]) for name in names}


def _at_odds(results: Results, gaps: Gaps, spreads: Mapping[str, float]) -> bool:
    """Whether a metric says "better", and one of another family "worse", each by its standard deviation or more."""
    sides: dict[int, set[str]] = {1: set(), -1: set()}
    for name, gap in gaps.items():
        family = results.metrics[name]["family"]
        if family in AT_ODDS and spreads[name] > 0 and abs(gap) >= spreads[name]:
            sides[1 if gap > 0 else -1].add(family)
    return any(up != down for up in sides[1] for down in sides[-1])


def _own(results: Results, question: Question) -> set[str]:
    """The flags that the question's own scores give."""
    found = set()
    for name, answer in question.answers.items():
        arm = results.arms.get(name)
        if arm is None or arm.kind != "arm":
            continue
        for metric, score in answer.scores.items():
            cell = arm.metrics.get(metric)
            if score.value is None and cell is not None and cell.n:
                found.add("unscored")
            votes: dict[int, list[float]] = {}
            for vote in score.votes:
                if vote.get("value") is not None:
                    votes.setdefault(vote.get("answer", 1), []).append(vote["value"])
            if any(min(of_answer) < 0.5 < max(of_answer) for of_answer in votes.values()):
                found.add("disagree")
    return found
