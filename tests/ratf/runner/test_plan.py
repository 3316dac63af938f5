"""The plan of a run: its calls are those that the run makes, and nothing heavy is loaded for it."""

import json
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import planted
import pytest
from hosted import Hosted
from inspect_ai.hooks import Hooks, ModelCacheUsageData, ModelUsageData, hooks
from small_suite import characters, small

from raft.files import write_made
from raft.memory.rephrase import VERSION
from raft.progress import silent
from ratf.models.prices import NO_PRICES, Price
from ratf.runner.plan import plan
from ratf.runner.rates import STATED
from ratf.runner.run import carry_out
from ratf.statistics.estimates import clustered_means
from ratf.statistics.power import smallest, smallest_differences, spread
from ratf.suite.arms import NAMED

CALLS: Counter[str] = Counter()


@hooks(name="test_plan_calls", description="counts for the tests, apart from what the program itself counts")
class Witness(Hooks):
    async def on_model_usage(self, data: ModelUsageData) -> None:
        CALLS["made"] += 1

    async def on_model_cache_usage(self, data: ModelCacheUsageData) -> None:
        CALLS["from the cache"] += 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("grader", "total", "samples"),
    [("perfect", "most", 1), ("first", "least", 1), ("perfect", "most", 3)],
)
def test_the_run_makes_the_calls_that_were_planned(
    tmp_path: Path, cache: Path, hosted: Hosted, grader: str, total: str, samples: int
) -> None:
    characters(tmp_path)
    metrics = ["rouge_l", "judge_stance", "judge_forced_choice"]
    study = small(tmp_path, "run", f"planted/{grader}", metrics=metrics, answers={"samples": samples})
    made = plan(study, NO_PRICES)
    CALLS.clear()
    results = carry_out(study, silent, allow_leaks=True)
    assert CALLS["made"] == getattr(made, total).calls
    assert (made.least.calls < made.most.calls) and results.budget
    planned: Counter[str] = Counter()
    for ask in made.asks:
        if ask.calls and (total == "most" or not ask.if_admitted):
            planned[ask.role] += ask.calls
    assert {r: s.calls for r, s in results.budget.roles.items() if r != "embedding"} == planned
    assert made.most.usd is None and all(a.usd is None for a in made.asks), "an unknown price is no 0"
    assert [(a.samples, a.calls) for a in made.asks if a.role == "answers"] == [(18 * samples, 18 * samples)] * 2


def test_prices_make_the_cost_and_models_that_run_here_have_none(tmp_path: Path) -> None:
    each = {name: Price(input=10) for name in ("planted/agent", "planted/perfect", "openai/words")}
    made = plan(small(tmp_path), each)
    assert (
        made.most.usd == pytest.approx(sum(a.usd or 0 for a in made.asks)) and made.most.usd > (made.least.usd or 0) > 0
    )
    here = {"base": "local/smollm2-135m-instruct", "grader": "local/smollm2-135m-instruct"}
    made = plan(
        small(
            tmp_path, models=here, arms=NAMED, primary={"metric": "judge_stance", "better": "raft", "than": "baseline"}
        ),
        NO_PRICES,
    )
    assert made.most.usd == 0 and {a.who for a in made.asks if a.role == "tuning"} == {"ft", "ft+mem"}
    assert made.most.seconds and made.rates == STATED.source


def test_other_models_roles_are_planned(tmp_path: Path) -> None:
    models = {"base": "m/a", "grader": ["m/b", "m/c"], "paraphraser": "m/d"}
    memories = {"k": 2, "rephraser": "m/e"}
    study = small(
        tmp_path,
        models=models,
        memories=memories,
        controls=["real", "same_near", "impostor_near", "paraphrase", "generic"],
    )
    calls = {(a.role, a.model): a.calls for a in plan(study, NO_PRICES).asks}
    assert calls["control", "m/d"] == calls["control", "m/a"] == 18
    assert calls["exam", "m/b"] == calls["exam", "m/c"] > 0 and calls["grading", "m/b"] > 0
    assert calls["rephraser", "m/e"] >= 2 * 18


def test_a_plan_says_how_many_questions_each_interview_gives(tmp_path: Path) -> None:
    def told(interviews: int, questions: int | None) -> str:
        return plan(small(tmp_path, split={"held_out_interviews": interviews, "questions": questions})).uneven

    study = small(tmp_path, split={"held_out_interviews": 6, "questions": 20})
    asked = Counter(e.interview_id for e in study.held_out)
    usable = [sum(e.interview_id == i for e in study.person.exchanges) for i in asked]
    assert study.questions_each() == list(zip(asked.values(), usable, strict=True))
    *first, last = map(str, asked.values())
    assert f"oldest first, give {', '.join(first)} and {last} questions, in proportion to" in plan(study).uneven
    assert told(6, None) == told(6, 18) == "", "all, and three of each"
    assert f"have {sum(usable)} usable answers" in told(6, sum(usable) + 1)
    assert "give 0, 1, 0, 1, 0 and 1 questions" in told(6, 3), "an interview that gives none is told"


def test_an_earlier_runs_memories_tell_which_prompts_are_the_same(tmp_path: Path) -> None:
    study = small(tmp_path)
    memories = {e.exchange_id: ["a memory"] * (i > 3) for i, e in enumerate(study.held_out)}
    write_made(study.folder / "memories.json", f"{study.digest}-{VERSION}", {"memories": memories})
    assert [a.calls for a in plan(study, NO_PRICES).asks if a.role == "answers"] == [18, 14]


@pytest.mark.parametrize("icc", [0.0, 0.3])
def test_the_smallest_difference_is_what_the_data_will_say_on_average(icc: float) -> None:
    draw, sizes, sd = np.random.default_rng(1), [6] * 10, 0.4
    clusters = [str(g) for g, m in enumerate(sizes) for _ in range(m)]
    shared = np.repeat(draw.normal(0, sd * icc**0.5, (4000, 10)), 6, axis=1)
    found = clustered_means(shared + draw.normal(0, sd * (1 - icc) ** 0.5, shared.shape), clusters)
    seen = np.mean([e.detectable**2 for e in found if e and e.detectable]) ** 0.5
    assert smallest(sizes, sd, icc) == pytest.approx(seen, rel=0.03)
    assert smallest([60], sd, icc) is None, "one interview gives no interval"
    assert (smallest([1] * 8, sd, 0) or 0) > (smallest([1] * 60, sd, 0) or 0)


def test_an_earlier_runs_spread_is_taken_and_gives_its_own_smallest_difference() -> None:
    interviews = [f"i{g}" for g in range(8) for _ in range(5)]
    draw = np.random.default_rng(2)
    mine = draw.normal(0.5, 0.1, 40) + np.repeat(draw.normal(0, 0.1, 8), 5)
    results = planted.make({"raft": {"style_identity": mine}, "baseline": {"style_identity": [0.5] * 40}}, interviews)
    (told,) = results.comparisons
    seen = spread(results.questions, "style_identity", "raft", "baseline")
    assert seen and seen[0] == pytest.approx(np.std(mine, ddof=1)) and 0 < seen[1] < 1
    pairs = [("raft", "baseline"), ("raft", "rag_only")]
    one, other = smallest_differences([5] * 8, ["style_identity"], pairs, results)
    assert one.source == "an earlier run" and other.source == "planning values"
    assert one.difference == pytest.approx(told.smallest_detectable, rel=1e-6)


def test_the_command_says_it_in_words_and_loads_nothing_heavy(tmp_path: Path) -> None:
    heavy = "import sys, ratf.cli; sys.argv[1:] = ['plan', 'demo', *sys.argv[1:]]\ntry: ratf.cli.app()\nfinally: "
    code = f"{heavy}print([m for m in ('torch', 'inspect_ai', 'chromadb', 'transformers') if m in sys.modules])"
    command = [sys.executable, "-c", code, "--out", str(tmp_path / "run")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.stdout.splitlines()[-1] == "[]", said.stderr
    for words in (
        "in all, if every judge fails its exam at once",
        "cannot show a difference in style_identity under",
        "planning values",
    ):
        assert words in said.stdout
    as_json = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False).stdout
    made = json.loads(as_json[: as_json.rindex("[")])
    assert made["most"]["calls"] > made["least"]["calls"] > 0 and not (tmp_path / "run").exists()


def test_real_data_are_planned_in_five_seconds_of_the_processor(shared: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "ratf.cli",
        "plan",
        "fed-chairs",
        "--data",
        str(shared),
        "--out",
        str(tmp_path / "run"),
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert "60 questions of 11 interviews cannot show" in said and "no cost" in said
