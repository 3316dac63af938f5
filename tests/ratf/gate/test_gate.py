"""Planted runs through the gate, and the gate's checks broken one by one."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from planted import make

from raft.errors import RaftError
from raft.files import write_made
from ratf.results.results import EXIT_CODES, Leak, Leaks, Results, Spent, save

GATE_MODULES = {
    "statistics": "ratf.statistics.estimates",
    "equivalence": "ratf.statistics.estimates",
    "comparable": "ratf.results.comparable",
    "baseline": "ratf.results.snapshot",
    "policy": "ratf.gate.policy",
    "rules": "ratf.gate.rules",
    "folder": "ratf.results.folder",
    "gate": "ratf.gate.gate",
}
INTERVIEWS = [f"i{g}" for g in range(6) for _ in range(10)]
POLICY = """\
critical:
  - raft not worse than the reference run on style.identity
"""


def scores(drop: float = 0.0, seed: int = 0, **other: Any) -> dict[str, dict[str, Any]]:
    """60 questions in 6 interviews. `drop` is what raft loses on style against the run of the same seed without one."""
    same, random = np.random.default_rng(0), np.random.default_rng(seed + 1)
    style, rank = same.uniform(0.3, 0.9, 60), same.uniform(0.2, 0.8, 60)
    noise = random.normal(0, 0.05, 60)
    made = {
        "raft": {"style_identity": style - drop + noise, "embedding_rank": rank + noise},
        "baseline": {"style_identity": style - 0.2, "embedding_rank": rank - 0.2},
    }
    return {**made, **other}


def surprise(drop: float = 0.0, seed: int = 0) -> dict[str, dict[str, Any]]:
    """The same as a metric of which less is better."""
    return {arm: {"surprise": of["style_identity"]} for arm, of in scores(drop, seed).items()}


def hollow() -> Results:
    """Raft is ahead of baseline, and hardly above another person."""
    of = scores()["raft"]["style_identity"]
    beside = {name: {"style_identity": of + by} for name, by in (("impostor_near", -0.1), ("same_near", 0.8))}
    made = make(scores(**beside), INTERVIEWS)
    return made.model_copy(update={"metrics": {m: {**f, "axis": "voice"} for m, f in made.metrics.items()}})


@dataclass(frozen=True)
class Planted:
    """A run, what it is compared with, and what the gate must say. `spoil` gets the run's folder."""

    run: Callable[[], Results]
    code: int
    says: str
    before: Callable[[], Results] | None = lambda: make(scores(seed=7), INTERVIEWS)
    policy: str | None = POLICY
    spoil: Callable[[Path], None] | None = None


def errored(arms: tuple[str, ...], count: int) -> Results:
    lost = scores()
    for arm in arms:
        for x in lost[arm].values():
            x[:count] = np.nan
    results = make(lost, INTERVIEWS)
    told = {arm: replace_errors(results, arm, count) for arm in arms}
    return results.model_copy(update={"arms": {**results.arms, **told}})


def replace_errors(results: Results, arm: str, count: int) -> Any:
    return results.arms[arm].model_copy(update={"errors": count})


def one_broken(lost: bool = False) -> Results:
    planted = scores(seed=7)
    planted["raft"]["style_identity"][17] = np.nan if lost else planted["raft"]["style_identity"][17] - 0.4
    return make(planted, INTERVIEWS)


def halfway(folder: Path) -> None:
    (folder / "results.json").unlink()
    (folder / "logs").mkdir()
    (folder / "logs" / "2026-01-02T00-00-00-00-00_interview_x.eval").write_bytes(b"")


def overtaken(folder: Path) -> None:
    write_made(folder / "times.json", "of another suite", {"prepare": 1.0})


def repeated(results: Results, sample: float = 0.0004) -> Results:
    """As if every question had been answered four times, with that variance between the answers to one question."""
    arms = {
        arm: told.model_copy(
            update={
                "metrics": {
                    m: c.model_copy(update={"variance": {"sample": sample}, "answers": 4})
                    for m, c in told.metrics.items()
                }
            }
        )
        for arm, told in results.arms.items()
    }
    return results.model_copy(update={"arms": arms})


def half_unscored() -> Results:
    """A reference run that could score raft on every other question only."""
    before = scores(seed=7)
    before["raft"]["style_identity"][::2] = np.nan
    return make(before, INTERVIEWS)


def noisy(seed: int) -> Results:
    """Scores of an agent that answers anew: no question's score is quite what it was."""
    made = scores()
    made["raft"]["style_identity"] = made["raft"]["style_identity"] + np.random.default_rng(seed).normal(0, 0.3, 60)
    return make(made, INTERVIEWS)


LEAKS = Leaks(
    checked="all", found=[Leak(kind="answer", held_out="i1-q017", found_in="w3", amount=0.5, words="as I said")]
)
ONE = "critical:\n  - no single question worse by more than 0.3 on style.identity\n"
MARGIN = "critical:\n  - raft not worse than the reference run by more than {} on style.identity\n"


def within(text: str) -> str:
    return f"critical:\n  - {text}\n"


def cut(number: int, known: bool = True) -> Callable[[], Results]:
    """A run in which so many answers of each arm were cut."""

    def run() -> Results:
        made = make(scores(), INTERVIEWS)
        states = {"answered": len(INTERVIEWS) - number, "cut": number} if known else {}
        arms = {name: arm.model_copy(update={"states": states}) for name, arm in made.arms.items()}
        return made.model_copy(update={"arms": arms})

    return run


def changed(**changes: Any) -> Callable[[], Results]:
    return lambda: make(scores(), INTERVIEWS, **changes)


def fell(drop: float, **more: Any) -> Callable[[], Results]:
    return lambda: make(scores(drop), INTERVIEWS, **more)


PLANTED = {
    "the same again passes": Planted(fell(0), 0, "raft shows no regression against the reference run"),
    "a drop of 0.15 is a regression": Planted(fell(0.15), 1, "raft is worse than the reference run: -0.1"),
    "a drop of 0.15 by the default policy": Planted(fell(0.15), 1, "raft is worse than the reference run", policy=None),
    "a drop beyond the margin": Planted(fell(0.15), 1, "worse than the reference run by more than 0.02", policy=MARGIN.format(0.02)),
    "within the margin": Planted(fell(0.01), 0, "not worse than the reference run by more than 0.1", policy=MARGIN.format(0.1)),
    "too close to the margin": Planted(fell(0), 2, "not shown to be not worse", policy=MARGIN.format(0.001)),
    "one question broken": Planted(
        lambda: repeated(one_broken()), 1, "1 of 60 questions fell by more than 0.3 on style_identity: i1-q017 by 0.", policy=ONE,
        before=lambda: repeated(make(scores(seed=7), INTERVIEWS)),
    ),
    "one question broken, each answered once": Planted(one_broken, 2, "i1-q017 by 0.40; only shown, because no question was answered twice", policy=ONE),
    "one question broken, each answered once, beside a rule that decides": Planted(one_broken, 0, "shows no regression", policy=POLICY + ONE.removeprefix("critical:\n")),
    "a supporting question broken, each answered once": Planted(one_broken, 0, "shows no regression", policy=POLICY + ONE.replace("critical", "supporting")),
    "an advisory question broken": Planted(one_broken, 0, "0 of 120 answers", policy="critical: [errors 0]\n" + ONE.replace("critical", "advisory")),
    "questions that move by chance": Planted(lambda: repeated(noisy(1), 0.36), 0, "did, no more than answers to one question differ by chance", policy=ONE, before=lambda: repeated(noisy(2), 0.36)),
    "an alarm that would see nothing": Planted(lambda: noisy(1), 2, "proves nothing as a drop of 0.1 could be missed", before=lambda: noisy(2)),
    "an alarm that need not see much": Planted(lambda: noisy(1), 0, "shows no regression", before=lambda: noisy(2), policy=POLICY + "declares: 0.5\n"),
    "an alarm of five interviews": Planted(lambda: make(scores(), [i for i in INTERVIEWS if i != "i5"] + ["i0"] * 10), 2, "proves nothing from under 6 interviews", before=lambda: make(scores(seed=7), [i for i in INTERVIEWS if i != "i5"] + ["i0"] * 10)),
    "the reference run lacks half its scores": Planted(fell(0.15), 2, "30 of 60 answers of raft in the reference run could not be scored", before=half_unscored),
    "one question lost by the reference run": Planted(lambda: make(scores(seed=7), INTERVIEWS), 2, "1 questions had no score in the reference run on style_identity: i1-q017", policy=ONE, before=lambda: one_broken(True)),
    "no question broken": Planted(lambda: make(scores(seed=7), INTERVIEWS), 0, "none of 60 questions fell", policy=ONE),
    "one question lost": Planted(lambda: one_broken(True), 2, "1 questions lost their score on style_identity: i1-q017", policy=ONE),
    "better within the run": Planted(fell(0), 0, "raft beats baseline", policy=within("raft better than baseline on style.identity"), before=None),
    "a voice that anybody could have": Planted(hollow, 2, "raft beats baseline, but raft has a skill of 0.11 on voice, and what says nothing may have 0.2", policy=within("raft better than baseline on style.identity"), before=None),
    "worse within the run": Planted(fell(0.4), 1, "raft is worse than baseline", policy=within("raft better than baseline on style.identity"), before=None),
    "not separable within the run": Planted(fell(0.2), 2, "raft is not shown to be better than baseline", policy=within("raft better than baseline on style.identity"), before=None),
    "equivalent": Planted(fell(0), 0, "equivalent to the reference run within 0.1", policy=within("raft equivalent to the reference run within 0.1 on style_identity")),
    "not equivalent": Planted(fell(0), 2, "not shown to be equivalent", policy=within("raft equivalent to the reference run within 0.001 on style_identity")),
    "far better is not equivalent": Planted(fell(-0.4), 2, "not shown to be equivalent", policy=within("raft equivalent to the reference run within 0.1 on style_identity")),
    "lower is better": Planted(
        lambda: make(surprise(-0.15), INTERVIEWS), 1, "raft is worse than the reference run: +0.1",
        before=lambda: make(surprise(seed=7), INTERVIEWS), policy=within("raft not worse than the reference run on surprise"),
    ),
    "neither way is better": Planted(
        lambda: (r := make(scores(), INTERVIEWS)).model_copy(update={"metrics": {k: {**f, "better": None} for k, f in r.metrics.items()}}),
        2, "neither way is better on style_identity", before=None, policy=within("raft better than baseline on style.identity"),
    ),
    "empty suite": Planted(lambda: make({a: {m_: [] for m_ in x} for a, x in scores().items()}, []), 2, "the suite asked no question", before=None, policy=within("errors at most 0")),
    "all errored": Planted(lambda: errored(("raft",), 60), 2, "all 60 answers of raft ended in an error", policy=within("errors at most 100 %") + "  - unscored at most 100 %\n"),
    "nothing changed, within a margin": Planted(lambda: make(scores(), INTERVIEWS), 0, "is not worse than the reference run by more than 0.02: +0.000", before=lambda: make(scores(), INTERVIEWS), policy=MARGIN.format(0.02)),
    "nothing changed, equivalent": Planted(lambda: make(scores(), INTERVIEWS), 0, "is equivalent to the reference run within 0.02", before=lambda: make(scores(), INTERVIEWS), policy=within("raft equivalent to the reference run within 0.02 on style_identity")),
    "nothing changed": Planted(lambda: make(scores(), INTERVIEWS), 0, "no regression", before=lambda: make(scores(), INTERVIEWS)),
    "two drops on a coarse scale": Planted(
        lambda: make({"raft": {"style_identity": [0, 1, 0, 1]}, "baseline": {"style_identity": [1, 1, 1, 1]}}, list("aabb")),
        2, "raft is not shown to be better than baseline: -0.50", before=None, policy=within("raft better than baseline on style.identity"),
    ),
    "the same drop to the last digit": Planted(
        lambda: make({**scores(), "raft": {k: v - 0.15 for k, v in scores()["raft"].items()}}, INTERVIEWS),
        1, "raft is worse than the reference run: -0.150 [-0.150, -0.150]", before=lambda: make(scores(), INTERVIEWS),
    ),
    "a few errored": Planted(lambda: errored(("raft",), 1), 2, "raft: 1 of 60 ended in an error (0.8 %); the policy allows 0"),
    "a few unscored": Planted(lambda: errored(("raft",), 3), 2, "3 of 60 answers of raft could not be scored on style_identity (5.0 %); the policy allows 2 %", policy=POLICY + "  - errors at most 50 %\n"),
    "all unscored": Planted(lambda: make({**scores(), "raft": {k: v * np.nan for k, v in scores()["raft"].items()}}, INTERVIEWS), 2, "no question has a score on style_identity on both sides", policy=POLICY + "  - unscored at most 100 %\n"),
    "missing arm": Planted(lambda: make({"raft": scores()["raft"]}, INTERVIEWS, settings={"arms": ["raft", "baseline"]}), 2, "the run has no answers of the suite's arms baseline", before=None, policy=within("errors 0")),
    "an arm that nobody has": Planted(fell(0), 2, "the run has no arm rag_only; it has raft, baseline", before=None, policy=within("raft better than rag_only on style.identity")),
    "a metric that nobody has": Planted(fell(0), 2, "the run has no metric bertscore; it has", before=None, policy=within("raft better than baseline on bertscore")),
    "missing baseline": Planted(fell(0), 2, "needs a reference run, and none was given", before=None),
    "changed judge": Planted(changed(settings={"models": {"base": "local/b", "grader": "openai/h"}}), 2, 'the judge, models.grader, was "openai/g" and is "openai/h"'),
    "changed rubric": Planted(
        lambda: (r := make(scores(), INTERVIEWS)).model_copy(update={"metrics": {k: {**f, "rubric": "2"} for k, f in r.metrics.items()}}),
        2, "style_identity is measured in another way than in the reference run",
    ),
    "changed data": Planted(changed(data_digest="other"), 2, "the data differ (digest dd, now other)"),
    "changed prompts": Planted(changed(prompts_digest="other"), 2, "the prompts differ (digest p, now other)"),
    "changed setting": Planted(changed(settings={"split": {"questions": 60}}), 2, "split.questions was null and is 60"),
    "a change that is being tested": Planted(changed(settings={"training": {"epochs": 2}}), 0, "no regression", policy=POLICY + "may_differ: [training]\n"),
    "another seed is no change": Planted(changed(settings={"seed": 5}), 0, "no regression"),
    "over budget": Planted(changed(budget=Spent(usd=6, over="6.00 of 5 usd")), 2, "the run went over its budget: 6.00 of 5 usd"),
    "cost too high": Planted(changed(budget=Spent(usd=6)), 2, "the run took 6 usd; the policy allows 5", policy=POLICY + "  - cost at most 5 usd\n"),
    "cost not known": Planted(fell(0), 2, "do not say what the run took in usd", policy=POLICY + "  - cost at most 5 usd\n"),
    "leaks": Planted(changed(leaks=LEAKS), 2, "1 leaks, so the scores prove nothing; the first: i1-q017 in w3", policy=POLICY + "  - leaks none\n"),
    "leaks not looked for": Planted(fell(0), 2, "not searched for leaks", policy=POLICY + "  - leaks none\n"),
    "no leaks": Planted(changed(leaks=Leaks(checked="all", found=[])), 0, "no regression", policy=POLICY + "  - leaks none\n"),
    "no exam": Planted(changed(exam=[]), 2, "style_identity may not decide: the run has no exam of it"),
    "failed exam": Planted(
        lambda: (r := make(scores(0.15), INTERVIEWS)).model_copy(update={"exam": [e.model_copy(update={"admitted": False, "reason": "AUC 0.51"}) for e in r.exam]}),
        2, "did not pass its exam: AUC 0.51",
    ),
    "one interview": Planted(lambda: make(scores(0.15), ["i"] * 60), 2, "a single interview gives no interval", before=lambda: make(scores(seed=7), ["i"] * 60)),
    "nobody answered half": Planted(changed(held_out={"questions": 120, "from": None, "interviews": []}), 2, "raft answered 60 of 120 questions: the run was not finished", before=None, policy=within("errors 0")),
    "killed halfway": Planted(fell(0), 2, "was stopped halfway (1 logs, no results)", spoil=halfway),
    "overtaken by a run that was killed": Planted(fell(0), 2, "a later run was stopped halfway", spoil=overtaken),
    "nothing was run": Planted(fell(0), 2, "results.json: no such file", spoil=lambda f: (f / "results.json").unlink()),
    "a supporting rule fell": Planted(
        lambda: make({**scores(), "raft": {**scores()["raft"], "embedding_rank": scores()["raft"]["embedding_rank"] - 0.3}}, INTERVIEWS),
        2, "every critical rule holds, but raft is worse than the reference run: -0.29", policy=POLICY + "supporting:\n  - raft not worse than the reference run on embedding.rank\n",
    ),
    "an advisory rule fell": Planted(fell(0.15), 0, "raft beats baseline", policy="advisory:\n  - raft not worse than the reference run on style.identity\ncritical: [raft better than baseline on embedding.rank]\n"),
    "chance among many": Planted(
        lambda: make({**scores(), "raft": {**scores()["raft"], "style_identity": scores()["raft"]["style_identity"] + wobble(0.013)}}, INTERVIEWS),
        2, "not more than one of 9 comparisons may", before=lambda: make(scores(), INTERVIEWS),
        policy="critical:\n" + "  - raft not worse than the reference run on style.identity\n" + "  - raft not worse than the reference run on embedding.rank\n" * 8,
    ),
    "asked less often": Planted(lambda: make(scores(), INTERVIEWS, settings={"answers": {"samples": 3}}), 2, "fewer than 3 times"),
    "too many cut": Planted(cut(30), 2, "30 of 60 answers of raft were cut at their greatest length (50.0 %); the policy allows 10 %", policy=POLICY + "  - cut at most 10 %\n"),
    "few cut": Planted(cut(6), 0, "raft beats baseline", policy="critical: [raft better than baseline on style.identity, cut at most 10 %]\n"),
    "nobody knows what was cut": Planted(cut(0, known=False), 2, "do not say which answers were cut", policy=POLICY + "  - cut at most 10 %\n"),
    "the missing settings of a run": Planted(lambda: make(scores(), INTERVIEWS, settings={"arms": ["raft", "baseline", "rag_only"]}), 2, "no answers of the suite's arms rag_only"),
}  # fmt: skip


def test_a_run_is_not_measured_for_the_reasons_of_a_check() -> None:
    """`ratf run` and `ratf check` judge by one set of rules."""
    few = make(scores(), INTERVIEWS)
    few = few.model_copy(
        update={"questions": [q.model_copy(update={"answers": {"raft": q.answers["raft"]}}) for q in few.questions]}
    )
    for run in (few, errored(("raft",), 1), errored(("raft",), 60), make(scores(), INTERVIEWS)):
        checked = SOUND["gate"].check(run)
        assert (checked.verdict == "NOT MEASURED") == bool(why := SOUND["gate"].why_not_measured(run))
        assert all(sentence in checked.sentence for sentence in why)


def wobble(drop: float) -> Any:
    """A drop of which a single test would make a regression and Holm among nine does not."""
    return np.repeat(np.array([0, 1, 2, 0, 1, 2]) * -drop, 10)


def judged(gate: dict[str, ModuleType], case: Planted, folder: Path) -> tuple[int, str]:
    """Exit code and sentence, with the policy and a spoilt run read from files as a user's are."""
    run, before = planted(case)
    try:
        policy = None
        if case.policy:
            (folder / "policy.yaml").write_text(case.policy, "utf-8")
            policy = gate["policy"].load_policy(folder / "policy.yaml")
        if case.spoil:
            shutil.rmtree(folder / "run", ignore_errors=True)
            save(run, folder / "run" / "results.json")
            case.spoil(folder / "run")
            run = gate["folder"].open_run(folder / "run")
        checked = gate["gate"].check(run, gate["baseline"].snapshot(before) if before else None, policy)
    except RaftError as error:
        return 2, str(error)
    return EXIT_CODES[checked.verdict], checked.sentence


_planted: dict[int, tuple[Results, Results | None]] = {}


def planted(
    case: Planted,
) -> tuple[Results, Results | None]:
    """A case's run and reference run, made once."""
    if id(case) not in _planted:
        _planted[id(case)] = case.run(), case.before() if case.before else None
    return _planted[id(case)]


SOUND = {name: importlib.import_module(path) for name, path in GATE_MODULES.items()}


@pytest.mark.parametrize("name", PLANTED)
def test_planted(name: str, tmp_path: Path) -> None:
    case = PLANTED[name]
    code, sentence = judged(SOUND, case, tmp_path)
    assert case.says in sentence and code == case.code, sentence


def test_each_trouble_has_its_own_sentence(tmp_path: Path) -> None:
    told = [c.says for c in PLANTED.values() if c.code == 2]
    assert len(told) - len(set(told)) <= 1, "two kinds of trouble are told in the same words"


MUTATIONS = [
    ("gate", "    _empty,\n", ""),
    ("gate", "    _missing_arms,\n", ""),
    ("gate", "    _unanswered,\n", ""),
    ("gate", "    _asked_less_often,\n", ""),
    ("gate", "    _all_errored,\n", ""),
    ("gate", "    _over_budget,\n", ""),
    ("gate", "    _not_comparable,\n", ""),
    ("gate", "if trouble or broken:", "if broken:"),
    ("gate", "if trouble or broken:", "if trouble:"),
    ("gate", "    if fallen:", "    if False:"),
    ("folder", "if not path.is_file() and logs:", "if False:"),
    ("folder", "if _begun(path.parent) not in", "if False and _begun(path.parent) not in"),
    ("gate", "holm([f.p for f in family])", "[f.p for f in family]"),
    ("gate", '("REGRESSION", "NOT MEASURED", "INCONCLUSIVE")', '("NOT MEASURED", "INCONCLUSIVE")'),
    ("gate", '("REGRESSION", "NOT MEASURED", "INCONCLUSIVE")', '("REGRESSION", "INCONCLUSIVE")'),
    ("gate", '("REGRESSION", "NOT MEASURED", "INCONCLUSIVE")', '("REGRESSION", "NOT MEASURED")'),
    ("rules", "if found.error is None:", "if False:"),
    ("rules", "if found is None:", "if found is None and False:"),
    ("rules", "if p_holm <= ALPHA / 2:", "if False:"),
    ("rules", "if p_holm <= ALPHA / 2:", "if p_holm <= 1:"),
    ("rules", "elif p <= ALPHA / 2:", "elif False:"),
    ("rules", "gain = found if sign > 0 else found.turned()", "gain = found"),
    ("rules", "return shown is not None and shown <= ALPHA / 2", "return True"),
    ("rules", "return claim is not None and claim.holds", "return True"),
    ("rules", 'floor = 0.0 if rule.kind == "better" else -(rule.limit or 0.0)', "floor = -9.0"),
    ("rules", "fell = sorted((q for q in gain if gain[q] < -limit - 1e-9)", "fell = sorted((q for q in gain if False)"),
    ("rules", "broken = fell if noise is None else", "broken = [] if noise is None else"),
    ("rules", "broken = fell if noise is None else beyond_chance({q: -gain[q] - limit for q in gain}, noise)", "broken = fell"),
    ("rules", "return None if ours is None or theirs is None else ours + theirs", "return 9.0 if ours is None or theirs is None else ours + theirs"),
    ("rules", "found.demoted = noise is None and critical", "pass"),
    ("rules", "if (lost or new) and not broken:", "if lost and not broken:"),
    ("rules", "gain.clusters >= FEW_CLUSTERS and gain.detectable", "gain.detectable"),
    ("rules", " and gain.detectable <= rule.declares", ""),
    ("rules", "    if before is not None:\n        compared", "    if False:\n        compared"),
    ("gate", "    if shown and not others:", "    if False:"),
    ("rules", 'rule = replace(rule, tier="advisory")', "pass"),
    ("policy", "rules = [replace(rule, declares=read.declares) for", "rules = [replace(rule) for"),
    ("rules", "if (lost or new) and not broken:", "if False:"),
    ("rules", "if rule.other == BASELINE_RUN and case.baseline is None:", "if False:"),
    ("rules", "if arm not in side.scores:", "if False:"),
    ("rules", "if rule.metric not in side.metrics:", "if False:"),
    ("rules", 'if facts and not facts.get("better"):', "if False:"),
    ("rules", 'if rule.tier == "critical" else ""', 'if False else ""'),
    ("rules", "    if not exams:", "    if False:"),
    ("rules", "exam: {failed[0].reason}\" if failed else", "exam: {failed[0].reason}\" if False else"),
    ("rules", "if amount > (rule.limit or 0.0):", "if False:"),
    ("rules", "    if spent is None:", "    if spent is None and (spent := 0.0):"),
    ("rules", "    if leaks is None:", "    if False:"),
    ("rules", "    if leaks.found:\n", "    if False:\n"),
    ("statistics", "smallest = 0.5 ** (self.n if bound else self.moved)", "smallest = 0.0"),
    ("policy", "Policy([*rules, *_missing_guards(rules)], tuple", "Policy([*rules], tuple"),
    ("policy", "    if not rules:\n", "    if False:\n"),
    ("comparable", '("data_digest", "prompts_digest"):\n        now', '("prompts_digest",):\n        now'),
    ("comparable", '("data_digest", "prompts_digest"):\n        now', '("data_digest",):\n        now'),
    ("comparable", "if was.get(key) != here.get(key)", "if False"),
    ("comparable", "        if was != here:", "        if False:"),
    ("comparable", '"seed", "primary"', '"primary"'),
]  # fmt: skip


@pytest.fixture
def mutant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dict[str, ModuleType]]]:
    """The gate's modules under another name, one of them with a piece of its source replaced."""

    def make(module: str, old: str, new: str) -> dict[str, ModuleType]:
        package = tmp_path / "lib" / "mutant"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        for name in GATE_MODULES:
            source = Path(str(SOUND[name].__file__)).read_text("utf-8")
            if name == module:
                assert source.count(old) == 1, f"{name}.py has {source.count(old)} × {old!r}"
                source = source.replace(old, new)
            for other, path in GATE_MODULES.items():
                source = source.replace(f"from {path} import", f"from mutant.{other} import")
            (package / f"{name}.py").write_text(source, "utf-8")
        monkeypatch.syspath_prepend(str(tmp_path / "lib"))
        return {name: importlib.import_module(f"mutant.{name}") for name in GATE_MODULES}

    yield make
    for name in [n for n in sys.modules if n.partition(".")[0] == "mutant"]:
        del sys.modules[name]


REFUSED = replace(
    PLANTED["an advisory rule fell"], policy="advisory: [leaks none]\n", code=2, says="no critical rule, so"
)


@pytest.mark.parametrize(("module", "old", "new"), MUTATIONS, ids=lambda x: str(x)[:40])
def test_breaking_a_check_is_noticed(
    module: str, old: str, new: str, mutant: Callable[..., dict[str, ModuleType]], tmp_path: Path
) -> None:
    broken = mutant(module, old, new)
    for case in [*PLANTED.values(), REFUSED]:
        try:
            code, sentence = judged(broken, case, tmp_path)
        except Exception:
            return
        if code != case.code or case.says not in sentence:
            return
    pytest.fail("every planted run was judged as before")
