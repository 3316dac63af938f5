"""What a run found in three lines of a reader's words: what it says, how it sounds, and what to do next."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from raft.text import shorten
from ratf.models.prices import dollars
from ratf.reporting.top.trust import checks
from ratf.results.results import AxisVerdict, Question, Results, SecondLook
from ratf.statistics.verdict import OF_AXIS
from ratf.suite.arms import CEILING, FLOOR
from ratf.suite.metrics import axis_meant, title

MORE = {"coverage": "makes more of {name}'s points than", "voice": "sounds more like {name} than"}
LESS = {"coverage": "makes fewer of {name}'s points than", "voice": "sounds less like {name} than"}
"""How a difference is told, by axis; on any other axis an arm is nearer to the person, or further off."""


BUT = {
    "at the floor": ", but not if the answers without a score count as another person's would",
    "above nothing": ", but words that say nothing can score as much",
}
"""What is said of a lead that does not stand a second look."""


EXAMPLE_WORDS = 50


@dataclass(frozen=True)
class Line:
    """One line of the answer: its heading, what was found in a sentence, and the scale that it was found on."""

    heading: str
    found: str
    scale: str = ""


def answer(results: Results) -> list[Line]:
    """A line an axis of the verdict, then what to do next. [] for results of before a verdict had axes."""
    if not results.axes:
        return []
    return [*(_line(results, axis) for axis in results.axes), Line("What to do next", " ".join(_next(results)))]


def _line(r: Results, axis: AxisVerdict) -> Line:
    better, than, name = r.suite["primary"]["better"], r.suite["primary"]["than"], r.person["name"]
    heading = OF_AXIS.get(axis.axis, title(axis.metric))
    if axis.verdict == "NOT MEASURED":
        return Line(heading, f"This was not measured: {axis.sentence}.", _unscored(r, axis))
    if axis.verdict == "INCONCLUSIVE":
        asked = f"{r.held_out['questions']} questions"
        return Line(heading, f"{asked} show no clear difference between {better} and {than}.", _scale(r, axis))
    ahead = axis.verdict == "PASS"
    told = (MORE if ahead else LESS).get(axis.axis)
    said = f"{better} is {'nearer to' if ahead else 'further from'} {name} than {than} is"
    if told:
        said = f"{better} {told.format(name=name)} {than} does"
    rival = next((look for look in r.second_looks if look.name == "best rival" and look.metric == axis.metric), None)
    other = ""
    if rival and ahead and not rival.holds:
        other = f"; {rival.arm} does better"
    elif rival and ahead:
        other = _beside(r, rival)
    failed = {look.name for look in r.second_looks if look.metric == axis.metric and not look.holds}
    other += "".join(words for name, words in BUT.items() if ahead and name in failed)
    return Line(heading, f"{said}{other}.", _scale(r, axis))


def _beside(r: Results, rival: SecondLook) -> str:
    """What is known of the first arm beside the best rival, which is not shown to be better."""
    if rival.words.startswith(f"{r.suite['primary']['better']} also beats"):
        return f", and more than {rival.arm} does"
    lower = r.metrics[rival.metric].get("better") == "lower"
    behind = rival.low is not None and rival.low > 0 if lower else rival.high is not None and rival.high < 0
    if behind:
        return f"; {rival.arm} scored better still, but that may be chance"
    return f"; no clear difference from {rival.arm} was found"


def _scale(r: Results, axis: AxisVerdict) -> str:
    """Where the two arms and another person stand, on a scale whose ends everybody knows; empty where there is none."""
    pair = (r.suite["primary"]["better"], r.suite["primary"]["than"])
    skills = {s.arm: s for s in r.skill if s.metric == axis.metric and s.skill is not None}
    if axis.axis == "voice" and set(pair) <= set(skills):
        of = [f"{arm} has {_hundredths(skills[arm].skill)}" for arm in pair]
        return (
            f"On a scale from 0 (another person's answer) to 100 ({r.person['name']}'s own answer to another question), "
            f"{' and '.join(of)}."
        )
    means = {
        a: cell.mean for a, arm in r.arms.items() if (cell := arm.metrics.get(axis.metric)) and cell.mean is not None
    }
    if r.metrics[axis.metric].get("top") != 1 or not set(pair) <= set(means):
        return ""
    of = [f"{arm} has {_hundredths(means[arm])}" for arm in pair]
    beside = {
        FLOOR: "another person's answer to the most similar question has",
        CEILING: f"{r.person['name']}'s own answer to the most similar question has",
    }
    others = [f"the real answer has {_hundredths(means.get('real', 1.0))}"]
    others += [f"{words} {_hundredths(means[control])}" for control, words in beside.items() if control in means]
    return f"On a scale up to 100, {' and '.join(of)}. For comparison: {', '.join(others)}."


def _unscored(r: Results, axis: AxisVerdict) -> str:
    """Why most answers of the two arms have no score, as most of these say; empty where more have one, or none says why."""
    pair = (r.suite["primary"]["better"], r.suite["primary"]["than"])
    scores = [q.answers[arm].scores.get(axis.metric) for q in r.questions for arm in pair if arm in q.answers]
    whys = Counter(s.why for s in scores if s and s.why)
    without = sum(s is None or s.value is None for s in scores)
    if not whys or 2 * without < len(scores):
        return ""
    why = whys.most_common(1)[0][0]
    return f"{without} of {len(scores)} answers have no score{', most of them' if len(whys) > 1 else ''}: {why}."


def _hundredths(number: float | None) -> str:
    return "none" if number is None else f"{100 * number:.0f}".replace("-0", "0")


def _next(r: Results) -> Iterator[str]:
    better, name = r.suite["primary"]["better"], r.person["name"]
    admitted = {axis_meant(e.axis) for e in (*r.exam, *r.more_exams) if e.admitted}
    doubts = [c.name for c in checks(r) if c.state == "doubt"]
    if r.verdict == "NOT MEASURED":
        yield "Remove what prevented the measurement (see the lines above), and run it again. The answers so far are kept."
    if r.verdict == "REGRESSION":
        yield f"Read the questions on which {better} lost most. The order “{better} loses most” puts them first."
    if any(a.verdict == "INCONCLUSIVE" for a in r.axes):
        yield "Four times as many questions would show a difference half as large."
    if "agreement" not in admitted:
        failed = any(e.judge is not None and not e.admitted for e in (*r.exam, *r.more_exams))
        other = "another model" if failed else "a model"
        yield f"Name {other} that can judge (models.grader in the suite) to learn whether {better} agrees with {name}."
    if doubts:
        many = "check" if len(doubts) == 1 else f"{len(doubts)} checks"
        yield f"Before you quote this, read the {many} in doubt: {', '.join(dict.fromkeys(doubts))}."
    elif r.verdict == "PASS":
        yield "Let people read the answers: ratf packet makes a blind test."


def cost(results: Results) -> str:
    """What the run cost, in US$ and in tokens, as far as it is known."""
    spent = results.budget
    if spent is None:
        return "not counted"
    if spent.tokens == 0:
        return "no model was asked: answers are from files, from code, or from an earlier start"
    usd = "price not known" if spent.usd is None else f"{dollars(spent.usd)} US$"
    return f"{usd}, " + ("tokens not counted" if spent.tokens is None else f"{spent.tokens:,} tokens")


@dataclass(frozen=True)
class Shown:
    """One question with the beginnings of the real answer and of the two arms' that are compared."""

    question: Question
    real: str
    arms: list[tuple[str, str]]


def one_question(results: Results, wanted: str) -> Shown | None:
    """The question of that id; None where the page has no such."""
    found = next((q for q in results.questions if q.id == wanted), None)
    if found is None:
        return None
    pair = (results.suite["primary"]["better"], results.suite["primary"]["than"])
    arms = [(arm, _begun(found.answers[arm].text) or "(empty)") for arm in pair if arm in found.answers]
    return Shown(found, _begun(found.real), arms)


def _begun(text: str) -> str:
    return shorten(text, EXAMPLE_WORDS)
