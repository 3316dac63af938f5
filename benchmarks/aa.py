"""How often do the gate, the verdict, the intervals and the judges' exam err? Simulated suites, through their own code.

`python benchmarks/aa.py` writes the tables of docs/statistics.md anew, in about a quarter of an hour on one core;
`QUICK=1 python benchmarks/aa.py` prints them from a tenth of the simulations. `RATF_DATA=FOLDER` reads the interviews'
sizes of powell and jfk from there; without it, those that are written down here.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from ratf.gate.gate import settle
from ratf.gate.policy import read_rule
from ratf.gate.rules import beyond_chance, compared
from ratf.judges.comparisons import BESIDE, PROBES, REPEATS
from ratf.results.results import Scored
from ratf.statistics.contrasts import contrasts
from ratf.statistics.decision import ALPHA, decide
from ratf.statistics.estimates import clustered_means
from ratf.statistics.exam import auc_of
from ratf.statistics.judges.judge_exam import CAPABLE, Trial, exam_of_grader
from ratf.statistics.judges.judge_power import replies
from ratf.statistics.judges.stopping import decided, looks
from ratf.statistics.skill import skill
from ratf.suite.arms import DIRECTION, turned

SHARED = 0.3
"""Of a score's variance: what both arms owe to the question."""
SHIFT = 0.3
"""The real difference, in standard deviations of the latent score."""
ICCS = (0.0, 0.1, 0.3)
FAILURES, SUITES, COVERAGE, EXAMS = 4000, 1000, 1200, 200
"""Suites of a share of false failures, of other shares, of a coverage, and exams."""
MOST_FAILURES = 0.035
"""2.5 % and two standard errors of 1,000 suites."""
RULES = [
    rule
    for metric in ("style.identity", "embedding.rank", "embedding.cosine", "bertscore", "rouge.1", "rouge.l")
    if (rule := read_rule(f"raft not worse than the baseline run on {metric}", "critical"))
]
FACTS = {"style_identity": {"axis": "voice", "better": "higher"}}
HELD_OUT = {
    "powell (60 questions)": (5, 5, 6, 5, 7, 4, 6, 4, 6, 7, 5),
    "jfk (60 questions)": (6, 6, 5, 5, 5, 5, 2, 5, 6, 8, 7),
    "jfk, six interviews": (10, 2, 11, 10, 14, 13),
    "demo": (6,) * 6,
}
"""Questions of each held-out interview: the newest press conferences of Powell (federalreserve.gov) and Kennedy (the
American Presidency Project), thinned to 60 questions as a suite does; and benchmarks/demo.yaml."""
Array = np.ndarray


@dataclass(frozen=True)
class Kind:
    """A kind of score: made of a standard normal one, and its mean when that is moved by m."""

    score: Callable[[Array], Array]
    mean: Callable[[float], float]
    binary: bool = False


KINDS = {
    "normal": Kind(lambda z: z, lambda m: m),
    "skewed (log-normal)": Kind(np.exp, lambda m: float(np.exp(m + 0.5))),
    "bounded, most near 1": Kind(lambda z: ndtr(2 * z + 1.5), lambda m: float(ndtr((2 * m + 1.5) / 5**0.5))),
    "binary, half": Kind(lambda z: (z > 0).astype(float), lambda m: float(ndtr(m)), True),
    "binary, one in ten": Kind(lambda z: (z > 1.2816).astype(float), lambda m: float(ndtr(m - 1.2816)), True),
}


def sizes_of() -> dict[str, list[tuple[int, ...]]]:
    """The interviews that are tried: several draws where sizes are drawn, and those of real people."""
    random = np.random.default_rng(12)
    found = {f"{g} of 3–9": [tuple(3 + (4 * i) % 7 for i in range(g))] for g in (5, 12)}
    found |= {f"{g} of 1–25": [tuple(random.integers(1, 26, g).tolist()) for _ in range(4)] for g in (5, 8, 12, 20)}
    return {**found, **{name: [sizes] for name, sizes in held_out().items()}}


def held_out() -> dict[str, tuple[int, ...]]:
    """HELD_OUT, counted in the people's own data where RATF_DATA names their folder."""
    folder = os.environ.get("RATF_DATA")
    if not folder:
        return HELD_OUT
    from raft.people.person import About, load_person
    from ratf.suite.study import _thin

    found = dict(HELD_OUT)
    for name, who, newest in (
        ("powell (60 questions)", "powell", 11),
        ("jfk (60 questions)", "jfk", 11),
        ("jfk, six interviews", "jfk", 6),
    ):
        about = About(name=who, introduction=who, licence="public domain", consent="public statements")
        exchanges = load_person(Path(folder) / who, about, True).exchanges
        held = list(dict.fromkeys(e.interview_id for e in exchanges))[-newest:]
        counts = Counter(e.interview_id for e in _thin([e for e in exchanges if e.interview_id in held], 60))
        found[name] = tuple(counts.values())
    return found


@dataclass(frozen=True)
class Cell:
    """Shares of simulated suites."""

    failed: float
    failed_six: float
    failed_axes: float
    """REGRESSION was said with no difference in truth: by the gate with one rule or six in the policy, and by a verdict on
    two axes."""
    null: float
    real: float
    one_arm: float
    skill: float
    auc: float
    """Intervals that held the truth: of no difference, of a real one, of one arm's mean, of a skill of about a half, and
    of an exam's AUC of about 0.8. NaN where most skills were refused."""


def simulate(
    kind: Kind, sizes: Sequence[int], icc: float, gate: int, coverage: int, seed: int, ratios: int = 0
) -> Cell:
    """One cell: each arm has an interview effect of its own, with `icc` of the variance. `ratios`: suites of skill."""
    random = np.random.default_rng(seed)
    clusters = [f"{g:02d}" for g, size in enumerate(sizes) for _ in range(size)]
    member = np.repeat(np.arange(len(sizes)), sizes)

    def latent(rows: int, arms: int = 2) -> list[Array]:
        question = random.normal(0, SHARED**0.5, (rows, len(clusters)))
        return [
            question
            + random.normal(0, icc**0.5, (rows, len(sizes)))[:, member]
            + random.normal(0, (1 - SHARED - icc) ** 0.5, (rows, len(clusters)))
            for _ in range(arms)
        ]

    a, b = latent(coverage)
    null = _covered(kind.score(a) - kind.score(b), clusters, 0.0)
    real = _covered(kind.score(a + SHIFT) - kind.score(b), clusters, kind.mean(SHIFT) - kind.mean(0))
    one_arm = _covered(kind.score(a), clusters, kind.mean(0))
    a, b = latent(gate * len(RULES))
    found = clustered_means(kind.score(a) - kind.score(b), clusters)
    one, six, axes = 0, 0, 0
    for suite in range(gate):
        estimates = found[suite * len(RULES) : (suite + 1) * len(RULES)]
        findings = [compared(rule, e) for rule, e in zip(RULES, estimates, strict=True) if e]
        one += settle(findings[:1], [])[0] == "REGRESSION"
        six += settle(findings, [])[0] == "REGRESSION"
        axes += any(e and e.high is not None and e.high < 0 and (e.p or 0) <= ALPHA / 2 for e in estimates[:2])
    skills = [s for _ in range(ratios) if (s := _skill(kind, latent(1, 3), clusters)) is not None]
    told = float(np.mean(skills)) if len(skills) > ratios / 2 else float("nan")
    a, b = latent(coverage)
    up, down = kind.score(a + 1), kind.score(b)
    by_rank = float(ndtr(1 / (2 * (1 - SHARED)) ** 0.5))
    truth = 0.5 + (kind.mean(1) - kind.mean(0)) / 2 if kind.binary else by_rank
    aucs = [auc_of(e, clusters) for e in clustered_means((up > down) + (up == down) / 2, clusters) if e]
    held = [x.low <= truth <= x.high for x in aucs if x.low is not None and x.high is not None]
    return Cell(one / gate, six / gate, axes / gate, null, real, one_arm, told, float(np.mean(held)))


def _covered(differences: Array, clusters: list[str], truth: float) -> float:
    found = [e for e in clustered_means(differences, clusters) if e]
    return sum(e.low <= truth <= e.high for e in found if e.low is not None and e.high is not None) / len(found)


def _skill(kind: Kind, drawn: list[Array], clusters: list[str]) -> bool | None:
    """Whether the interval of a skill held the truth; None where it was refused."""
    cluster = {str(i): g for i, g in enumerate(clusters)}
    floor, arm, ceiling = (
        dict(zip(cluster, kind.score(z[0] + shift).tolist(), strict=True))
        for z, shift in zip(drawn, (0.0, 0.75, 1.5), strict=True)
    )
    made = skill("m", "raft", arm, floor, ceiling, cluster)
    if made is None or made.low is None or made.high is None:
        return None
    truth = (kind.mean(0.75) - kind.mean(0)) / (kind.mean(1.5) - kind.mean(0))
    return made.low <= truth <= made.high


def cells(share: float = 1.0, kinds: Sequence[str] = tuple(KINDS)) -> str:
    """In Markdown: false failures and skill over all ICCs together, coverage of the rest the least and the most over ICCs."""
    head = (
        "score",
        "interviews",
        "fails, one rule",
        "fails, six",
        "fails, two axes",
        "no difference",
        "a real one",
        "skill",
        "exam AUC",
        "one arm's mean",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    gate, ratios, coverage = (
        max(20, round(share * n)) for n in (FAILURES / len(ICCS), SUITES / 2 / len(ICCS), COVERAGE)
    )
    for number, (name, kind) in enumerate(KINDS.items()):
        if name not in kinds:
            continue
        for place, (told, draws) in enumerate(sizes_of().items()):
            part = [-(-n // len(draws)) for n in (gate, coverage, ratios)]
            found = [
                [
                    simulate(kind, sizes, icc, part[0], part[1], 10_000 * number + 100 * place + 10 * n + m, part[2])
                    for n, sizes in enumerate(draws)
                ]
                for m, icc in enumerate(ICCS)
            ]

            def shares(field: str, found: list[list[Cell]] = found) -> list[float]:
                return [float(np.mean([getattr(c, field) for c in drawn])) for drawn in found]

            fails = [
                _span([float(np.mean(shares(f)))], most=MOST_FAILURES) for f in ("failed", "failed_six", "failed_axes")
            ]
            held = [_span(shares(f), 0.93, 0.98) for f in ("null", "real", "auc", "one_arm")]
            held.insert(2, _span([float(np.mean(shares("skill")))], 0.93, 0.98))
            lines.append(f"| {name} | {told} | {' | '.join([*fails, *held])} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


def _span(shares: list[float], least: float = 0.0, most: float = 1.0) -> str:
    """`94.1–95.2 %`; bold where a share is out of its bounds."""
    known = [s for s in shares if s == s]
    if not known:
        return "refused"
    ends = sorted({f"{100 * x:.1f}" for x in (min(known), max(known))}, key=float)
    text = f"{'–'.join(ends)} %"
    return text if least <= min(known) and max(known) <= most else f"**{text}**"


def missing(share: float = 1.0) -> str:
    """How often leaving one's worst answers empty gives PASS, without a difference in truth."""
    head = ("left empty", "badness known", "floor", "PASS, left out", "PASS, with the second reading")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    rounds = max(20, round(share * SUITES))
    for floor, words in ((-2.0, "far below the arms"), (0.5, "above the arms")):
        for known, how in ((1.0, "exactly"), (0.5, "correlation .5")):
            for left in (0.1, 0.2, 0.3):
                random = np.random.default_rng(round(100 * left) + round(10 * known))
                passed = [_silent(random, left, known, floor) for _ in range(rounds)]
                first, second = np.mean(passed, axis=0)
                lines.append(f"| {left:.0%} | {how} | {words} | {first:.1%} | {second:.1%} |")
    return "\n".join(lines)


def _silent(random: np.random.Generator, left: float, known: float, floor: float) -> tuple[bool, bool]:
    sizes = HELD_OUT["powell (60 questions)"]
    cluster = {f"{g}-{i}": str(g) for g, size in enumerate(sizes) for i in range(size)}
    question, member = random.normal(0, SHARED**0.5, len(cluster)), np.repeat(np.arange(len(sizes)), sizes)
    arms = {}
    for arm in ("raft", "baseline", "impostor_near"):
        own = random.normal(0, 0.1**0.5, len(sizes))[member] + random.normal(0, (0.9 - SHARED) ** 0.5, len(cluster))
        arms[arm] = question + own + (floor if arm == "impostor_near" else 0.0)
    seen = known * arms["raft"] + (1 - known**2) ** 0.5 * random.normal(size=len(cluster))
    worst = set(np.argsort(seen)[: round(left * len(cluster))].tolist())
    scores = {
        arm: {
            "style_identity": {
                q: Scored(value=None, why="empty answer") if arm == "raft" and i in worst else Scored(value=float(x[i]))
                for i, q in enumerate(cluster)
            }
        }
        for arm, x in arms.items()
    }
    pair = ("raft", "baseline")
    (found,) = contrasts(scores, [pair], cluster)
    alone = bool(found.low is not None and found.low > 0)
    return alone, decide({found.metric: found}, pair, FACTS, scores, cluster, {}).verdict == "PASS"


def alarms(share: float = 1.0) -> str:
    """What the gate's other rules say, at 60 questions of an sd of .4, and at 36."""
    head = ("suite", "rule", "truth", "says PASS", "says REGRESSION")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    rounds, random = max(20, round(share * SUITES)), np.random.default_rng(4)
    for told in ("powell (60 questions)", "demo"):
        sizes = HELD_OUT[told]
        clusters = [f"{g:02d}" for g, size in enumerate(sizes) for _ in range(size)]
        for truth in (0.0, -0.15):
            found = clustered_means(random.normal(truth, 0.4, (rounds, len(clusters))), clusters)
            said = [settle([compared(RULES[0], e)], [])[0] for e in found if e]
            lines.append(
                f"| {told} | `not worse` without a margin | {truth:+.2f} | {said.count('PASS') / rounds:.1%} | "
                f"{said.count('REGRESSION') / rounds:.1%} |"
            )
    for spread in (0.2, 0.4):
        single, repeated = 0, 0
        for _ in range(rounds):
            answers = random.normal(0, spread, (2, 60, 3))
            noise = float(answers.var(axis=2, ddof=1).mean(axis=1).sum()) / 3
            drop = answers.mean(axis=2)[0] - answers.mean(axis=2)[1] - 0.3
            single += bool((answers[0, :, 0] - answers[1, :, 0] > 0.3).any())
            repeated += bool(beyond_chance({str(i): float(d) for i, d in enumerate(drop)}, noise))
        lines.append(
            f"| 60 questions, answers to one differ by {spread:g} | `no single question worse by more than 0.3`, each answered once | "
            f"+0.00 | | {single / rounds:.1%}, shown only |"
        )
        lines.append(
            f"| the same | each answered three times | +0.00 | {1 - repeated / rounds:.1%} | {repeated / rounds:.1%} |"
        )
    return "\n".join(lines)


def judges(share: float = 1.0) -> str:
    """How often an exam admits a judge that is right in 85 % of its replies, and others; how often it did before it could
    end early; and how many comparisons it asks."""
    head = ("comparisons", "interviews", "judge", "admitted", "without an early end", "comparisons asked")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    rounds = max(10, round(share * EXAMS))
    characters: list[tuple[str, Callable[[list[Trial], np.random.Generator], list[Trial]]]] = [
        ("right in 85 %, errs alike each time", lambda asked, random: replies(asked, random, CAPABLE, True)),
        ("right in 85 %, each reply by itself", lambda asked, random: replies(asked, random, CAPABLE, False)),
        ("a coin", lambda asked, random: replies(asked, random, 0.5, False)),
        ("says yes to everything", lambda asked, _: [_said(t, 1.0, 1.0) for t in asked]),
        ("takes what is named first, 39 of 40 times", _first_named),
    ]
    for interviews in (6, 11):
        for wanted in (40, 80, 120):
            asked, cluster = _asked(wanted, interviews)
            random = np.random.default_rng(wanted)
            for name, answer in characters:
                told = [_sat(_mixed(answer(asked, random), random), cluster) for _ in range(rounds)]
                now, before, took = (float(np.mean(x)) for x in zip(*told, strict=True))
                lines.append(f"| {wanted} | {interviews} | {name} | {now:.1%} | {before:.1%} | {took:.0f} |")
    return "\n".join(lines)


def _said(trial: Trial, drawn: float, back: float) -> Trial:
    again = None if trial.again is None else drawn
    return replace(trial, drawn=drawn, reversed=back, again=again, clean=drawn if trial.kind == "probe" else None)


def _first_named(asked: list[Trial], random: np.random.Generator) -> list[Trial]:
    leans = random.random(len(asked)) < 39 / 40
    return [
        replace(_said(t, 1.0, 0.0 if first else 1.0), first_named=0.9) for t, first in zip(asked, leans, strict=True)
    ]


def _mixed(trials: list[Trial], random: np.random.Generator) -> list[Trial]:
    """The trials in an order by chance, each probe anywhere: here no comparison is harder than another."""
    return [trials[i] for i in random.permutation(len(trials))]


def _sat(trials: list[Trial], cluster: dict[str, str]) -> tuple[bool, bool, int]:
    """Whether the exam admits the judge, whether it did without an early end, and the comparisons asked."""
    took = next((n for n in looks(len(trials)) if decided(trials[:n])), len(trials))
    before = _admitted(trials, cluster)
    return before and took == len(trials), before, took


def _asked(wanted: int, interviews: int) -> tuple[list[Trial], dict[str, str]]:
    """A judge of agreement's exam as `ratf.judges.comparisons` makes it: rewordings and turned copies, a tenth beside
    them about who is speaking, 15 % probes, and eight requests made again."""
    probes, each = round(PROBES * wanted), (wanted - round(PROBES * wanted)) // 2
    turning = each - round(BESIDE * each)
    found: list[Trial] = []
    for i in range(each):
        edited, even = turned(DIRECTION[i % len(DIRECTION)])
        sides = (
            ((even, "same"), (edited, "other"))
            if i < turning
            else (("same_near", "beside"), ("impostor_near", "beside"))
        )
        again = 0.0 if i < turning and i % max(1, turning // (REPEATS // 2)) == 0 else None
        found += [Trial(f"q{i}", control, kind, 0.0, 0.0, 0.0, again) for control, kind in sides]  # type: ignore[arg-type]
    found += [replace(t, kind="probe", again=None) for t in found if t.kind == "other"][:probes]
    return found, {f"q{i}": f"i{i % interviews}" for i in range(each)}


def _admitted(trials: list[Trial], cluster: dict[str, str]) -> bool:
    return exam_of_grader("", "judge_stance", "agreement", trials, cluster, 0.6)[0].admitted


PEOPLE = {n: tuple(12 + (17 * i) % 49 for i in range(n)) for n in (6, 10, 30)}
"""The questions of each person, from 12 to 60, for so many people."""


def people(share: float = 1.0) -> str:
    """In Markdown: with people as the clusters, false failures and coverage; `icc` is what is common to a person's questions."""
    head = ("score", "people", "fails, one rule", "fails, six", "fails, two axes", "no difference", "a real one")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    gate, coverage = (max(20, round(share * n)) for n in (SUITES, COVERAGE))
    most = ALPHA / 2 + 2 * (ALPHA / 2 * (1 - ALPHA / 2) / (gate * len(ICCS))) ** 0.5
    for number, (name, kind) in enumerate(KINDS.items()):
        for count, sizes in PEOPLE.items():
            found = [
                simulate(kind, sizes, icc, gate, coverage, 500_000 + 1000 * number + 10 * count + m)
                for m, icc in enumerate(ICCS)
            ]
            fails = [
                _span([float(np.mean([getattr(c, f) for c in found]))], most=most)
                for f in ("failed", "failed_six", "failed_axes")
            ]
            held = [_span([getattr(c, f) for c in found], 0.93, 0.98) for f in ("null", "real")]
            lines.append(f"| {name} | {count} | {' | '.join([*fails, *held])} |")
            print(lines[-1], flush=True)
    return "\n".join(lines)


TABLES: dict[str, Callable[[float], str]] = {
    "cells": cells,
    "people": people,
    "missing": missing,
    "alarms": alarms,
    "judges": judges,
}


def main() -> None:
    """Put each table between its marks on the page; with QUICK, print rough ones."""
    if os.environ.get("QUICK"):
        print("\n\n".join(make(0.1) for make in TABLES.values()))
        return
    page = Path(__file__).parent.parent / "docs" / "statistics.md"
    for name, make in _wanted():
        made = make(1.0)
        before, _, rest = page.read_text("utf-8").partition(f"<!-- {name} -->\n")
        _, _, after = rest.partition(f"\n<!-- end of {name} -->")
        page.write_text(f"{before}<!-- {name} -->\n{made}\n<!-- end of {name} -->{after}", "utf-8")


def _wanted() -> Iterator[tuple[str, Callable[[float], str]]]:
    """All tables, or those that TABLES names in the environment."""
    only = os.environ.get("TABLES", ",".join(TABLES)).split(",")
    yield from ((name, make) for name, make in TABLES.items() if name in only)


if __name__ == "__main__":
    main()
