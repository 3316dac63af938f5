"""The checks of a run to be read before anybody believes it: each is told either way, also when it was not made."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from raft.text import number_of
from ratf.gate.rules import cut_told, errors_told
from ratf.models.prices import dollars
from ratf.results.results import Results
from ratf.statistics.estimates import FEW_CLUSTERS
from ratf.statistics.judges.judge_exam import MOST_FLIPS
from ratf.statistics.verdict import auc
from ratf.suite.arms import SAYS_NOTHING
from ratf.suite.metrics import axis_meant, title

State = Literal["fine", "doubt", "unknown"]


@dataclass(frozen=True)
class TrustCheck:
    """One check. `doubt`: it was made and found something; `unknown`: it was not made, or could not tell."""

    name: str
    state: State
    words: str


def checks(results: Results) -> list[TrustCheck]:
    """All checks, in the page's order."""
    looks = (
        _exam,
        _others,
        _order,
        _errors,
        _states,
        _unscored,
        _second_looks,
        _interviews,
        _own,
        _leaks,
        _contamination,
        _budget,
        _replayed,
        _humans,
    )
    return [check for look in looks for check in look(results)]


def unmeasured(r: Results) -> str:
    """What no metric of the run may speak about, in a sentence; empty where there is one for agreement and one for voice."""
    sat = {
        "content": [e for e in r.exam if axis_meant(e.axis) != "voice"],
        "voice": [e for e in r.exam if axis_meant(e.axis) == "voice"],
    }
    content = {e.axis for e in sat["content"] if e.admitted}
    silent = [axis for axis, entries in sat.items() if not any(e.admitted for e in entries)]
    if not r.exam or len(silent) == len(sat):
        return "whether any arm is like the person. No metric has shown that it can tell this person from others."
    if silent == ["content"]:
        if not sat["content"]:
            return "what the answers say. No metric of the suite asks that, and even nonsense can score well on voice."
        return (
            f"what the answers say. Of {len(sat['content'])} metrics of content none passed its exam on this person, "
            "and even nonsense can score well on voice."
        )
    if silent:
        return "how the answers sound. No metric of voice passed its exam on this person."
    if content <= {"coverage", "facts"}:
        return (
            "whether the answers agree with the person. Metrics of coverage tell whether the same claims are made. "
            "They cannot tell a yes from a no."
        )
    return ""


def _exam(r: Results) -> Iterator[TrustCheck]:
    passed = f"{sum(e.admitted for e in r.exam)} of {len(r.exam)} metrics and judges passed"
    for primary in r.primary_metrics:
        entry = next((e for e in r.exam if e.metric == primary), None)
        if entry is None:
            yield TrustCheck("Exam", "unknown", f"{title(primary)} sat no exam")
            continue
        says = f"{title(primary)} {'passed' if entry.admitted else 'did not pass'}, AUC {auc(entry)}; {passed}"
        yield TrustCheck("Exam", "fine" if entry.admitted else "doubt", says)
    if r.exam and (silent := unmeasured(r)):
        yield TrustCheck("Not measured", "unknown", silent.removesuffix("."))


def _others(r: Results) -> Iterator[TrustCheck]:
    """With one impostor and no stranger, voice was admitted although nobody but the impostor had to be told apart."""
    heard = any(e.admitted and axis_meant(e.axis) == "voice" for e in r.exam)
    if heard and len(r.impostors) == 1 and not r.strangers:
        (other,) = r.impostors.values()
        told = (
            f"voice compares {r.person['name']} with {other} alone; no stranger was tried, and many a text may sound more "
            f"like {r.person['name']} than like {other}: name more people under impostors and strangers"
        )
        yield TrustCheck("One impostor", "doubt", told)


def _order(r: Results) -> Iterator[TrustCheck]:
    tried = [(e.metric, g) for e in r.exam if e.judge for g in e.judge.graders if g.order_flips is not None]
    if not any(e.judge for e in r.exam):
        yield TrustCheck("Order of texts", "fine", "no judge is asked")
    elif not tried:
        yield TrustCheck("Order of texts", "unknown", "no judge was asked in both orders")
    for metric, grader in tried:
        flips = grader.order_flips
        if flips is not None:
            state: State = "doubt" if flips.k > MOST_FLIPS * flips.n else "fine"
            told = f"{title(metric)} changed its decision in {flips.k} of {flips.n} comparisons when the two texts were swapped"
            yield TrustCheck("Order of texts", state, told)


def _errors(r: Results) -> Iterator[TrustCheck]:
    errors = sum(arm.errors for arm in r.arms.values())
    told = "; ".join(errors_told(r)) or "no answer ended in an error"
    yield TrustCheck("Errors", "doubt" if errors else "fine", told)


def _states(r: Results) -> Iterator[TrustCheck]:
    if not any(arm.states for arm in r.arms.values()):
        return
    cut = "; ".join(cut_told(r))
    yield TrustCheck("Cut answers", "doubt" if cut else "fine", cut or "no answer was cut at the length limit")
    refused = [f"{name} {n}" for name, arm in r.arms.items() if (n := arm.states.get("refused"))]
    told = (
        f"not scored, because a refusal is not an answer: {', '.join(refused)}"
        if refused
        else "no answer was a refusal"
    )
    yield TrustCheck("Refusals", "doubt" if refused else "fine", told)


def _unscored(r: Results) -> Iterator[TrustCheck]:
    arms = {name: arm for name, arm in r.arms.items() if name not in ("empty", *SAYS_NOTHING)}
    cells = {m: [a.metrics[m] for a in arms.values() if m in a.metrics] for m in r.metrics}
    mute = [m for m, of in cells.items() if of and not any(c.n for c in of)]
    spoke = {m: of for m, of in cells.items() if m not in mute}
    lacking = {m: n for m, of in spoke.items() if (n := sum(c.unscored for c in of))}
    scores = sum(c.n + c.unscored for of in spoke.values() for c in of)
    said = f"{sum(lacking.values())} of {scores} scores could not be given"
    said += f": {', '.join(f'{title(m)} {n}' for m, n in lacking.items())}" if lacking else ""
    said += f"; {', '.join(map(title, mute))} gave none at all" if mute else ""
    yield TrustCheck("Unscored", "doubt" if lacking else "fine", said)


def _second_looks(r: Results) -> Iterator[TrustCheck]:
    names = {"at the floor": "Unscored, at the floor", "best rival": "Best rival", "above nothing": "A voice at all"}
    for look in r.second_looks:
        of = f", {title(look.metric)}" if r.primary_metrics[1:] else ""
        yield TrustCheck(f"{names[look.name]}{of}", "fine" if look.holds else "doubt", look.words)


def _interviews(r: Results) -> Iterator[TrustCheck]:
    number = len(r.held_out["interviews"]) or len({q.interview_id for q in r.questions})
    few = f"; from fewer than {FEW_CLUSTERS}, intervals are unreliable" if number < FEW_CLUSTERS else ""
    yield TrustCheck("Interviews", "doubt" if few else "fine", f"{number} held out, whole{few}")


def _own(r: Results) -> Iterator[TrustCheck]:
    own = [name for name, arm in r.arms.items() if arm.about]
    if own:
        told = f"not known for {', '.join(own)}, so leaks and contamination could not be checked there"
        yield TrustCheck("Training and prompts", "unknown", told)


def _leaks(r: Results) -> Iterator[TrustCheck]:
    if r.leaks is None:
        yield TrustCheck("Leaks", "unknown", "not checked for leaks")
    elif r.leaks.found:
        yield TrustCheck("Leaks", "doubt", f"{number_of(len(r.leaks.found), 'leak')}, allowed by --allow-leaks")
    else:
        yield TrustCheck("Leaks", "fine", "none found")


def _contamination(r: Results) -> Iterator[TrustCheck]:
    if r.contamination is None:
        yield TrustCheck(
            "Contamination", "unknown", "it was not tested whether the base model knew the answers already"
        )
        return
    states: dict[str, State] = {"no sign": "fine", "looks memorised": "doubt", "can't tell": "unknown"}
    yield TrustCheck("Contamination", states[r.contamination.says], r.contamination.says)


def _budget(r: Results) -> Iterator[TrustCheck]:
    if r.budget is None:
        yield TrustCheck("Budget", "unknown", "what the run cost was not counted")
    elif r.budget.over:
        yield TrustCheck("Budget", "doubt", f"the budget stopped the run: {r.budget.over}")
    elif r.budget.limits:
        limits = r.budget.limits.items()
        told = " and ".join(
            f"{dollars(most)} US$" if name == "usd" else f"{most:,.10g} {name}" for name, most in limits
        )
        yield TrustCheck("Budget", "fine", f"{told} not reached")
    else:
        yield TrustCheck("Budget", "fine", "no limit was set")
    if r.budget and r.budget.estimated:
        told = f"for {r.budget.estimated} replies, at four characters per token: the service does not report them"
        yield TrustCheck("Tokens estimated", "doubt", told)


def _replayed(r: Results) -> Iterator[TrustCheck]:
    if r.replayed:
        said = f"replayed: no model was asked, the replies are from {r.replayed}; the times are those of the replay"
        yield TrustCheck("Live or replayed", "fine", said)
    else:
        yield TrustCheck("Live or replayed", "fine", "live: models were asked")


def _humans(r: Results) -> Iterator[TrustCheck]:
    yield TrustCheck("Human readers", "unknown", "nobody was asked; ratf packet makes a blind test")
