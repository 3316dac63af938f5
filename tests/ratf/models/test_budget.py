"""Budgets: a run stops at its limit in any phase, is not measured, and goes on to the results of an unhindered one."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hosted import Hosted
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ModelUsage, get_model, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo
from inspect_ai.util import collect
from planted_judges import DEMO
from small_suite import characters, small
from typer.testing import CliRunner, Result

from raft.errors import RaftError
from raft.progress import silent
from raft.tuning.lora import LoraSettings, LoraTuner
from raft.types import TrainingSample
from ratf.cli import app
from ratf.gate.gate import check
from ratf.gate.policy import load_policy
from ratf.models.budget import Limits, Meter, OverBudget, keeping, must_have_prices, watched
from ratf.models.hooks import Refused
from ratf.models.metered import MeteredTuner
from ratf.models.prices import NO_PRICES, Price, load_prices, price_of, training_price
from ratf.results.folder import open_run
from ratf.results.results import STOPPED
from ratf.runner.run import carry_out
from ratf.suite.study import Study

A_DOLLAR_EACH = "planted/agent: {input: 0, output: 1000000}\nplanted/perfect: {input: 0, output: 1000000}\nopenai/words: {input: 0}\n"
"""A planted reply has one token, so that dollars are calls."""


def the_command(study: Study, tmp_path: Path, *options: str) -> Result:
    prices = tmp_path / "prices.yaml"
    prices.write_text(A_DOLLAR_EACH)
    where = ["--data", str(DEMO.parent), "--out", str(study.folder), "--prices", str(prices)]
    return CliRunner().invoke(app, ["run", str(tmp_path / "suite.yaml"), *where, "--allow-leaks", *options])


@pytest.mark.slow
def test_stopped_in_every_phase_it_goes_on_and_ends_with_the_same_results(
    tmp_path: Path, cache: Path, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    characters(tmp_path)
    study = small(tmp_path, contamination=False)
    answers, exam, grading = 36, 192, 62
    for role, limit in (("answers", 10), ("exam", answers + 20), ("grading", answers + exam + 10)):
        stopped = the_command(study, tmp_path, "--budget-usd", str(limit))
        assert stopped.exit_code == 2, role
        spent = [line["role"] for line in map(json.loads, (study.folder / "spent.jsonl").read_text().splitlines())]
        paid = [r for r in spent if r != "embedding"]
        assert paid[-1] == role and limit <= len(paid) < limit + 40, "it stops there, but for what was under way"
        said = f"NOT MEASURED: over budget: {len(paid)}.00 of {limit}.00 US$ spent"
        assert stopped.stdout.startswith(said) and "run again with a higher --budget-usd" in stopped.stdout
        assert not (study.folder / "results.json").exists()
        with pytest.raises(RaftError, match="over budget"):
            open_run(study.folder)
    again = the_command(study, tmp_path, "--budget-usd", "10")
    assert again.exit_code == 2 and "over budget" in again.stdout, "what earlier starts have spent counts"

    finished = the_command(study, tmp_path, "--budget-usd", "1000", "--budget-minutes", "600")
    assert finished.exit_code == 0 and "PASS: " in finished.stdout, finished.stdout
    results = open_run(study.folder)
    assert results.budget and results.budget.usd == answers + exam + grading, "nothing is paid twice"
    assert results.budget.limits == {"usd": 1000, "minutes": 600} and results.budget.minutes
    assert {r: s.usd for r, s in results.budget.roles.items() if s.usd} == {
        "answers": answers,
        "exam": exam,
        "grading": grading,
}  # fmt: skip
    assert not (study.folder / STOPPED).exists()
    policy = tmp_path / "policy.yaml"
    for rule, verdict in (
        (f"cost at most {results.budget.usd:.0f} usd", "PASS"),
        ("cost at most 9 usd", "NOT MEASURED"),
    ):
        policy.write_text(yaml.safe_dump({"critical": [rule]}))
        assert check(results, policy=load_policy(policy)).verdict == verdict

    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "another"))
    study.folder = tmp_path / "unhindered"
    unhindered = carry_out(study, silent, allow_leaks=True)
    same = {"times": {}, "budget": None}
    assert results.model_copy(update=same) == unhindered.model_copy(update=same)


def meter(study: Study, now: Sequence[float] = (0.0,), **limits: float) -> Meter:
    """`now` has the seconds that the clock shows at each look; the last one stays."""
    times = list(now)
    return Meter(study, Limits(**limits), NO_PRICES, now=lambda: times.pop(0) if len(times) > 1 else times[0])  # type: ignore[arg-type]


@pytest.fixture
def study(tmp_path: Path, cache: Path) -> Study:
    characters(tmp_path)
    return small(tmp_path)


def test_processes_at_work_on_one_study_count_each_others_calls(study: Study) -> None:
    one, two = meter(study, tokens=100), meter(study, tokens=100)
    one.add("openai/m", 60, None)
    assert not two.reached()
    two.add("openai/m", 50, None)
    assert one.reached() and two.reached() and one.spent().tokens == two.spent().tokens == 110
    assert meter(study, tokens=200).spent().roles["answers"].calls == 2


def test_minutes_stop_the_tuning_between_two_steps_and_it_ends_the_same(
    study: Study, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [
        TrainingSample(f"q{i}", ({"role": "user", "content": f"Question {i}?"},), f"Answer {i}.") for i in range(8)
    ]
    settings = LoraSettings(rank=2, batch=2)
    late = meter(study, [0, 0, 0, 0, 90], minutes=1)  # begun, and two steps later a minute and a half
    with pytest.raises(OverBudget, match=r"1\.50 of 1\.00 minutes spent"), keeping(late, study.folder):
        LoraTuner(settings, watched(silent, late)).tune(samples, str(tiny_base))
    assert "--budget-minutes" in (study.folder / STOPPED).read_text()
    (aside,) = (tmp_path / "cache" / "adapters").glob(".*")
    assert (aside / "checkpoint.pt").is_file()
    gone_on = LoraTuner(settings).tune(samples, str(tiny_base)).partition("+")[2]
    first = tmp_path / "cache" / "adapters" / gone_on
    monkeypatch.setenv("RATF_CACHE", str(tmp_path / "other"))
    LoraTuner(settings).tune(samples, str(tiny_base))
    other = tmp_path / "other" / "adapters" / gone_on
    for name in ("training.json", "adapter_model.safetensors"):
        assert (first / name).read_bytes() == (other / name).read_bytes()


class Jobs:
    """A tuner that remembers its jobs."""

    def __init__(self) -> None:
        self.made = 0

    def tune(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample] = ()) -> str:
        self.made += 1
        return "ft:m"


def test_a_job_that_would_go_over_is_not_begun_and_one_that_was_counts_once(study: Study) -> None:
    samples = [TrainingSample("q", ({"role": "user", "content": "word " * 400},), "answer " * 400)] * 10
    jobs = Jobs()
    tuner = MeteredTuner("openai/gpt-4o-mini", jobs, epochs=2)
    poor = meter(study, usd=0.01)
    with (
        pytest.raises(OverBudget, match=r"fine-tuning openai/gpt-4o-mini needs about 0\.\d+ US\$"),
        keeping(poor, study.folder),
    ):
        tuner.tune(samples, "gpt-4o-mini")
    assert jobs.made == 0 and poor.spent().usd == 0
    for _ in range(2):
        rich = meter(study, usd=1)
        with keeping(rich, study.folder):
            tuner.tune(samples, "gpt-4o-mini")
        spent = rich.spent()
        assert spent.roles["tuning"].calls == 1 and spent.usd == pytest.approx(3e-6 * (spent.tokens or 0))


@modelapi(name="slow")
class Slow(ModelAPI):
    """Takes its time for the messages that say so."""

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        await asyncio.sleep(1.5 if "slowly" in input[-1].text else 0)
        output = ModelOutput.from_content("slow", "Yes.")
        output.usage = ModelUsage(input_tokens=60, output_tokens=40, total_tokens=100)
        return output


def test_what_is_under_way_at_the_limit_is_kept_and_nothing_more_is_asked(study: Study) -> None:
    model = get_model("slow/m")

    async def ask(text: str, after: float = 0.0) -> str:
        await asyncio.sleep(after)
        return (await model.generate(text, cache=True)).completion

    async def three() -> None:
        await collect(ask("slowly"), ask("at once"), ask("too late", after=0.5))

    limited = meter(study, tokens=100)
    with pytest.raises(OverBudget, match="200 of 100 tokens spent"), keeping(limited, study.folder):
        asyncio.run(three())
    later = meter(study, tokens=300)
    assert later.spent().tokens == 200, "both replies were counted, and the next start knows"
    with keeping(later, study.folder):
        asyncio.run(collect_all(ask("slowly"), ask("at once")))
        assert later.spent().tokens == 200, "they come from the cache, and cost nothing"
        asyncio.run(collect_all(ask("too late")))
    with pytest.raises(OverBudget), keeping(later, study.folder):
        asyncio.run(collect_all(ask("another")))


async def collect_all(*work: object) -> None:
    await collect(*work)  # type: ignore[arg-type]


def test_an_error_that_is_no_refusal_stays_what_it_is(study: Study) -> None:
    with pytest.raises(ZeroDivisionError), keeping(meter(study, tokens=1), study.folder):
        raise ZeroDivisionError
    assert issubclass(Refused, Exception) and not (study.folder / STOPPED).exists()


def test_a_line_that_a_kill_cut_short_costs_only_itself(study: Study) -> None:
    first = meter(study)
    for _ in range(2):
        first.add("m/n", 10, 0.5)
    path = study.folder / "spent.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    second = meter(study)
    second.add("m/n", 7, None)
    spent = meter(study).spent()
    assert spent.tokens == 17 and spent.usd is None, "a price that is not known is no 0"
    study.digest = "another"
    assert meter(study).spent().tokens == 0


def test_earlier_starts_minutes_count(study: Study) -> None:
    def reached(seconds: float) -> bool:
        return Meter(study, Limits(minutes=2), NO_PRICES, seconds, lambda: 5.0).reached()

    assert not reached(119) and reached(120)


def test_prices_are_exact_names_or_those_of_their_tuned_models(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("openai/x: {input: 1, output: 2, input_cache_read: 0.5}\nopenai/ft:x: {input: 3, output: 4}\n")
    prices = load_prices(path)
    assert price_of("openai/x", prices) == Price(input=1, output=2, input_cache_read=0.5)
    assert price_of("openai/x-mini", prices) is None, "another model, although the name begins alike"
    tuned = price_of("openai/ft:x:me::1", prices)
    assert tuned and tuned.of(1_000_000, 500_000) == 5
    assert prices["openai/x"].of(10, 10, cache_written=10, cache_read=10) == pytest.approx(45e-6)
    free = price_of("local/anything+abc", NO_PRICES)
    assert free and free.of(10**9, 10**9) == 0
    assert training_price("openai/gpt-4o-mini-2024-07-18", NO_PRICES) == 3 and training_price("m/n", prices) is None


@pytest.mark.parametrize("text", ["openai/x: {input: -1}", "openai/x: {inptu: 1}", "- 1", "openai/x: {input: .inf}"])
def test_a_wrong_file_of_prices_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(RaftError, match="US\\$ per million tokens"):
        load_prices(path)


def test_money_without_every_price_is_refused_before_anything_is_spent(
    study: Study, tmp_path: Path, hosted: Hosted
) -> None:
    with pytest.raises(RaftError) as refused:
        must_have_prices(study, Limits(usd=5), {"planted/agent": Price(input=1)})
    assert "planted/perfect (grader), openai/words (embedder)" in str(refused.value)
    assert "planted/agent" not in str(refused.value) and "--prices" in str(refused.value)
    where = ["--data", str(DEMO.parent), "--out", str(study.folder), "--budget-usd", "5"]
    said = CliRunner().invoke(app, ["run", str(tmp_path / "suite.yaml"), *where])
    assert said.exit_code == 2 and "needs the price of planted/agent (answers)" in said.stderr
    assert not hosted.embedded and not study.folder.exists()
    must_have_prices(study, Limits(tokens=5), NO_PRICES)
