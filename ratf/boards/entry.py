"""What a leaderboard keeps of a run: how its systems stand and what was measured, without any question or answer."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from raft.text import count_words
from ratf.boards.pairs import pairs_of
from ratf.boards.standing import ABOVE, LINES, Adapter, Ran, Standing, System, placed
from ratf.results.comparable import OF_SYSTEM, SAID_BEFORE, flat, measured, run_digest
from ratf.results.record import Record
from ratf.results.results import ArmResult, Results, Spent
from ratf.suite.arms import ARMS
from ratf.suite.metrics import is_judged


class Entry(Record):
    """What a leaderboard needs of a run. It is a few thousand bytes, whatever was said in the run."""

    ran: Ran
    systems: dict[str, System]
    """The run's systems by arm."""
    name: str
    """The person's."""
    floor: list[str]
    """Names of the impostors whose real answers are the floor."""
    metrics: dict[str, dict[str, Any]]
    measured: dict[str, Any]
    """What runs of a board have in common."""

    def checked(self, metrics: Sequence[str] | None) -> "Entry":
        """The same where somebody has worked out the run again on these metrics; None says that nobody did."""
        again = [m for m in metrics or () if not is_judged(m)]  # nobody could ask a judge again
        standings = [s.model_copy(update={"verified": int(s.metric in again)}) for s in self.ran.standings]
        ran = self.ran.model_copy(update={"verified": metrics is not None, "standings": standings})
        return self.model_copy(update={"ran": ran})


def entry_of(results: Results) -> Entry:
    """The entry of a run that nobody has verified."""
    own, measure = systems_of(results), _measured(results)
    return Entry(
        ran=_ran(run_digest(results), results, own, digest_of(measure)),
        systems=own,
        name=results.person.get("name", results.person["key"]),
        floor=[results.impostors.get(key, key) for key in results.suite.get("impostors", [])],
        metrics=results.metrics,
        measured=measure,
    )


def digest_of(facts: Mapping[str, Any]) -> str:
    """A short digest of what JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:10]


def systems_of(results: Results) -> dict[str, System]:
    """The systems of a run by arm: settings that an arm does not use do not tell it from another."""
    found = {}
    for arm, result in results.arms.items():
        if result.kind != "arm":
            continue
        recipe = ARMS.get(arm)
        unused = [] if recipe is None else _unused(recipe.training, recipe.memories)
        settings = {
            key: value
            for key, value in flat(results.suite)
            if key != SAID_BEFORE and any(key == f or key.startswith(f"{f}.") for f in OF_SYSTEM)
            if not any(key == u or key.startswith(f"{u}.") for u in unused)
        }
        words = result.words
        if own := next((a for a in results.suite.get("own", []) if a["name"] == arm), None):
            words = _of_anybody(words, results.suite["person"])
            settings = _of_own(_of_anybody(own, results.suite["person"]), result.about, settings)
        model = str(settings.get("models.base", result.model))
        about = json.dumps([arm, "" if own else words, settings], sort_keys=True)
        name = f"{slug(model)}-{slug(arm)}-{hashlib.sha256(about.encode()).hexdigest()[:8]}"
        found[arm] = System(id=name, arm=arm, words=words, model=model, settings=settings)
    return found


def _of_anybody(value: Any, person: str) -> Any:
    """The value with `{person}` for the person's key, as the suite of many people has it: one agent, not one for each."""
    if isinstance(value, Mapping):
        return {k: _of_anybody(v, person) if k != "name" else v for k, v in value.items()}
    if isinstance(value, list):
        return [_of_anybody(v, person) for v in value]
    return re.sub(rf"(?<![\w-]){re.escape(person)}(?![\w-])", "{person}", value) if isinstance(value, str) else value


def _of_own(arm: Mapping[str, Any], about: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an agent of the user's own: what it is, as far as that is known, and how it was asked."""
    # the same agent's answers to another person's questions, in another file, make no other system; other code does
    files = ("answers", "log") if "solver" in arm else ("answers", "log", "sha256")
    known = {k: v for k, v in arm.items() if k not in ("name", *files)}
    asked = {k: v for k, v in settings.items() if k.startswith("answers.") and k != "answers.samples"}
    recalled = {k: v for k, v in settings.items() if k.startswith("memories.") and arm.get("memories") == "own"}
    told = {key: about.get(key, "not known") for key in ("training", "prompts")}
    agent = {f"agent.{key}": value for key, value in flat({**told, **known})}
    return {**agent, **(asked if {"model", "solver"} & arm.keys() else {}), **recalled}


def _unused(training: str, memories: str) -> list[str]:
    # how often a system was asked tells nothing of what it is
    unused = ["memories.chroma", "memories.hindsight", "answers.samples"]
    if training == "none":
        unused += ["training", "split.training_exchanges", "memories.hindsight_filter"]
        unused += ["answers.max_words"]
    return unused + (["memories"] if memories == "none" and training != "ft+mem" else [])


def slug(text: str) -> str:
    """A name for files and addresses: whatever the text is, no path comes out of it."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[-40:].strip("-") or "x"


def _ran(digest: str, results: Results, systems: Mapping[str, System], board: str) -> Ran:
    usd, tokens, kept = _cost(results.budget)
    said = {arm: _said(results, arm) for arm in systems}
    standings = [
        _standing(results, arm, systems[arm].id, metric, digest, said[arm])
        for arm in systems
        for metric in results.metrics
        if results.metrics[metric].get("better") and metric in results.arms[arm].metrics
    ]
    return Ran(
        id=digest[:12],
        suite=results.suite["name"],
        digest=results.digest,
        person=results.person["key"],
        finished=str(results.times.get("finished", "")),
        seed=results.suite.get("seed"),
        board=board,
        verified=False,
        results=digest,
        usd=usd,
        tokens=tokens,
        kept=kept,
        adapters={systems[arm].id: found for arm in systems if (found := _adapter(results, arm))},
        standings=standings,
        pairs=pairs_of(results, systems),
    )


def _measured(results: Results) -> dict[str, Any]:
    """What runs of a board have in common: the questions and the real answers themselves, too, not only what a run says
    is the digest of its data. So nobody stands in another's table with answers that were easier to give."""
    asked = {q.id: [q.question, q.real] for q in results.questions}
    return {**measured(results), "questions": digest_of(asked)}


def _cost(budget: Spent | None) -> tuple[float | None, int | None, bool]:
    """The US$ and tokens of a run, and whether all its replies were kept, so that nobody was asked or counted."""
    if budget is None:
        return None, None, False
    if budget.tokens == 0 and not budget.usd and not any(role.calls for role in budget.roles.values()):
        return None, None, True
    return budget.usd, budget.tokens, False


def _adapter(results: Results, arm: str) -> Adapter | None:
    """The adapter that an arm was tuned to; arms of one adapter are told with the first of them."""
    named = results.arms[arm].model.partition("+")[2]
    own = [t for t in results.tuned if t.arm == arm] + [t for t in results.tuned if named and t.digest == named]
    return Adapter(asked=named, digest=own[0].digest, weights=own[0].weights) if own else None


def _said(results: Results, arm: str) -> tuple[float | None, str]:
    """The mean number of words of an arm's answers, None where there are none, and the digest of all of them."""
    answers = {q.id: q.answers[arm].text for q in results.questions if arm in q.answers}
    return fmean(count_words(a) for a in answers.values()) if answers else None, digest_of(answers)


def _standing(
    results: Results,
    arm: str,
    system: str,
    metric: str,
    digest: str,
    said: tuple[float | None, str],
) -> Standing:
    result: ArmResult = results.arms[arm]
    cell = result.metrics[metric]
    exam = next((e for e in results.exam if e.metric == metric), None)
    skill = next((s for s in results.skill if s.metric == metric and s.arm == arm), None)
    has_skill = skill is not None and skill.skill is not None
    score, low, high = (skill.skill, skill.low, skill.high) if skill and has_skill else (cell.mean, cell.low, cell.high)
    why_none = "the metric is not admitted" if exam and not exam.admitted else "" if cell.n else "no answer was scored"
    reason = skill.reason if skill else why_none or "not in the run"
    return Standing(
        system=system,
        metric=metric,
        scale="skill" if has_skill else "mean",
        score=score,
        low=low,
        high=high,
        placed=placed(low, high) if has_skill else "",
        reason=reason if not has_skill else ABOVE if low is not None and low > LINES[-1] else "",
        mean=cell.mean,
        n=skill.n if skill and has_skill else cell.n,
        interviews=skill.interviews if skill and has_skill else cell.interviews,
        unscored=cell.unscored,
        errors=result.errors,
        words=said[0],
        admitted=exam.admitted if exam else None,
        auc=exam.auc if exam else None,
        auc_low=exam.low if exam else None,
        why_not=exam.reason if exam and not exam.admitted else "",
        runs=[digest[:12]],
        not_counted=[],
        answers=said[1],
        top=results.metrics[metric].get("top"),
    )
