"""Finished runs as a leaderboard: which may stand together, and how every system stands. Reads results, runs nothing."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from raft.text import count_words
from ratf.boards.pairs import pairs_of
from ratf.boards.standing import (
    ABOVE,
    LINES,
    Adapter,
    Board,
    Leaderboard,
    Overall,
    Ran,
    Standing,
    System,
    Table,
    placed,
    pooled,
    row_of,
    table,
)
from ratf.results.comparable import NAMED, OF_SYSTEM, SAID_BEFORE, changed, differs, flat, measured, run_digest
from ratf.results.results import ArmResult, Results, Spent
from ratf.statistics.estimates import clustered_mean
from ratf.suite.arms import ARMS
from ratf.suite.metrics import is_judged
from ratf.suite.parts import BOTH

FEW_PERSONS = 3
"""With fewer persons a row over persons has neither interval nor class: two say almost nothing of others."""


OF_PERSON = ("person", "impostors", "strangers", "people", "data", "prompts", "questions")
"""The measured settings that differ between persons although the same is measured."""


def leaderboard(runs: Iterable[Results], verified: Mapping[str, Sequence[str]] | None = None) -> Leaderboard:
    """The leaderboard with all boards of the runs. The order and repetition of `runs` change nothing.

    Each run is read once, and its questions are not kept: of runs that are loaded one by one, one is in memory at a time.
    `verified` has the runs that somebody has checked, by the digest of their results, with the metrics whose every
    score was worked out again.
    """
    checked = verified or {}
    known: dict[str, tuple[Ran, Results]] = {}
    systems: dict[str, System] = {}
    measures: dict[str, dict[str, Any]] = {}
    for results in runs:
        digest = run_digest(results)
        if digest in known:
            continue
        own, measure = systems_of(results), _measured(results)
        systems |= {system.id: system for system in own.values()}
        one = _ran(digest, results, own, _digest(measure), checked.get(digest))
        measures[one.board] = measure
        known[digest] = one, results.model_copy(update={"questions": []})
    ordered = sorted(((digest, results) for digest, (_, results) in known.items()), key=_by_time)
    ran = [known[digest][0] for digest, _ in ordered]
    groups: dict[str, list[tuple[Ran, Results]]] = {}
    for one, (_, results) in zip(ran, ordered, strict=True):
        groups.setdefault(one.board, []).append((one, results))
    boards = [_board(key, members, measures[key]) for key, members in sorted(groups.items(), key=_by_person)]
    return Leaderboard(
        boards=boards,
        overall=_overall(boards),
        systems=dict(sorted(systems.items())),
        persons={r.person["key"]: r.person.get("name", r.person["key"]) for _, r in ordered},
        runs=ran,
        differences=differences(boards),
    )


def _by_time(item: tuple[str, Results]) -> tuple[str, str, str]:
    digest, results = item
    return str(results.times.get("finished", "")), str(results.suite.get("seed")), digest


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
        if own := next((a for a in results.suite.get("own", []) if a["name"] == arm), None):
            settings = _of_own(own, result.about, settings)
        model = str(settings.get("models.base", result.model))
        about = json.dumps([arm, "" if own else result.words, settings], sort_keys=True)
        name = f"{slug(model)}-{slug(arm)}-{hashlib.sha256(about.encode()).hexdigest()[:8]}"
        found[arm] = System(id=name, arm=arm, words=result.words, model=model, settings=settings)
    return found


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


def _ran(
    digest: str, results: Results, systems: Mapping[str, System], board: str, verified: Sequence[str] | None
) -> Ran:
    checked = [m for m in verified or () if not is_judged(m)]  # nobody could ask a judge again
    usd, tokens, kept = _cost(results.budget)
    said = {arm: _said(results, arm) for arm in systems}
    standings = [
        _standing(results, arm, systems[arm].id, metric, digest, metric in checked, said[arm])
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
        verified=verified is not None,
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
    return {**measured(results), "questions": _digest(asked)}


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
    return fmean(count_words(a) for a in answers.values()) if answers else None, _digest(answers)


def _standing(
    results: Results,
    arm: str,
    system: str,
    metric: str,
    digest: str,
    verified: bool,
    said: tuple[float | None, str],
) -> Standing:
    result: ArmResult = results.arms[arm]
    cell = result.metrics[metric]
    exam = next((e for e in results.exam if e.metric == metric), None)
    skill = next((s for s in results.skill if s.metric == metric and s.arm == arm), None)
    has_skill = skill is not None and skill.skill is not None
    score, low, high = (skill.skill, skill.low, skill.high) if skill and has_skill else (cell.mean, cell.low, cell.high)
    reason = skill.reason if skill else "the metric is not admitted" if exam and not exam.admitted else "not in the run"
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
        verified=int(verified),
        top=results.metrics[metric].get("top"),
    )


def _board(key: str, members: Sequence[tuple[Ran, Results]], measure: dict[str, Any]) -> Board:
    first = members[0][1]
    tables = []
    for name, about in first.metrics.items():
        by_system: dict[str, list[Standing]] = {}
        for one, _ in members:
            for standing in one.standings:
                if standing.metric == name:
                    by_system.setdefault(standing.system, []).append(standing)
        if by_system:
            tables.append(table(name, about, [row_of(s) for s in by_system.values()]))
    tables.sort(
        key=lambda t: (not any(r.placed for r in t.rows), not any(r.admitted for r in t.rows), t.metric not in BOTH)
    )
    return Board(
        id=key,
        person=first.person["key"],
        suites=sorted({r.suite["name"] for _, r in members}),
        floor=[first.impostors.get(key, key) for key in first.suite.get("impostors", [])],
        measured=measure,
        tables=tables,
    )


def _overall(boards: Sequence[Board]) -> list[Overall]:
    """A table for each set of persons on which systems were measured alike.

    A system on fewer persons stands in another table: its mean would be of easier or harder ones. A person with two
    boards of one protocol is left out, because neither is the right one.
    """
    protocols: dict[str, list[Board]] = {}
    for board in boards:
        kept = {k: v for k, v in board.measured.items() if k.split(".")[0] not in OF_PERSON}
        protocols.setdefault(_digest(kept), []).append(board)
    found = []
    for protocol, several in sorted(protocols.items()):
        persons = [b.person for b in several]
        alone = [b for b in several if persons.count(b.person) == 1]
        metrics = dict.fromkeys(t.metric for b in alone for t in b.tables)
        for name in metrics:
            by_person = {b.person: t for b in alone for t in b.tables if t.metric == name}
            found += [Overall(protocol=protocol, persons=p, table=t) for p, t in _over_persons(by_person)]
    return found


def _over_persons(tables: Mapping[str, Table]) -> list[tuple[list[str], Table]]:
    by_system: dict[str, dict[str, Standing]] = {}
    for person, its in tables.items():
        for row in its.rows:
            by_system.setdefault(row.system, {})[person] = row
    by_persons: dict[tuple[str, ...], list[Standing]] = {}
    for of in by_system.values():
        if len(of) > 1:
            persons = tuple(sorted(of))
            by_persons.setdefault(persons, []).append(_over([of[p] for p in persons], persons))
    about = next(iter(tables.values())).model_dump()
    return [(list(persons), table(about["metric"], about, rows)) for persons, rows in sorted(by_persons.items())]


def _over(rows: Sequence[Standing], persons: Sequence[str]) -> Standing:
    """The mean over persons with a t interval at persons - 1 degrees of freedom."""
    skilled = all(r.scale == "skill" and r.score is not None for r in rows)
    numbers = [r.score if skilled else r.mean for r in rows]
    known = [v for v in numbers if v is not None]
    found = clustered_mean(known, list(persons)) if len(known) == len(rows) else None
    whole = pooled(rows)
    few = len(persons) < FEW_PERSONS
    low, high = (found.low, found.high) if found and not few else (None, None)
    return whole.model_copy(
        update={
            "scale": "skill" if skilled else "mean",
            "score": found.mean if found else None,
            "low": low,
            "high": high,
            "placed": placed(low, high) if skilled else "",
            "reason": ("no class: two persons are too few" if few else "")
            if skilled
            else "not every person has a skill score",
            "n": sum(r.n for r in rows),
            "interviews": sum(r.interviews for r in rows),
            "disagree": any(r.disagree for r in rows),
        }
    )


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:10]


def _by_person(group: tuple[str, list[tuple[Ran, Results]]]) -> tuple[str, str, str]:
    first = group[1][0][0]
    return first.person, first.finished, group[0]


def differences(boards: Sequence[Board]) -> list[str]:
    """Why the runs are on several boards: what differs from the person's first, or from the first, a sentence a board.

    Another person's board is another anyway, so of the first board of a person only the settings are told that need not be.
    """
    said = []
    for i, board in enumerate(boards[1:], 1):
        before = next((b for b in boards[:i] if b.person == board.person), boards[0])
        was, now = before.measured, board.measured
        told = [k for k in changed(was, now) if before.person == board.person or k.split(".")[0] not in OF_PERSON]
        several = "; ".join(differs(k, was.get(k), now.get(k)) for k in told[:NAMED])
        if told:
            more = f"; and {len(told) - NAMED} more" if told[NAMED:] else ""
            said.append(
                f"board {board.id} is a table of its own, because not all was measured as on board {before.id}: {several}{more}"
            )
    return said
