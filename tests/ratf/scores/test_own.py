"""Metrics of the user's own: whatever their code does, only a number counts, and they sit the exam that ours sit."""

import re
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score
from places import REPOSITORY

from raft.errors import DataError, RaftError
from ratf.models.recorded.replay import recorded, replayed
from ratf.results.results import Scored
from ratf.runner.plan import plan
from ratf.scores.qualify import exams
from ratf.scores.scorers import metrics_of, scorers
from ratf.suite import own_metrics
from ratf.suite.own_metrics import OwnMetric, read_metric
from ratf.suite.study import Study, open_study

MINE = '''
import math, sys
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState
from ratf import metric

@metric(axis="voice", top=1)
def warmth(answer: str) -> float:
    """How warm it sounds."""
    print("not the verdict")
    return float("thank" in answer)

@metric(axis="coverage", better="lower")
def far(answer: str, real: str, question: str, earlier: tuple[str, ...], embed, weight: float = 1.0):
    assert question.endswith("?") and len(earlier) > 3
    a, b = embed([answer, real])
    return weight - a @ b

@metric()
def hostile(answer: str):
    if answer == "raises":
        raise ValueError("the key is sk-of-the-tests-0123456789")
    if answer == "exits":
        sys.exit(0)
    return {
        "nan": math.nan, "inf": math.inf, "huge": 10**40, "text": "0.5", "none": None, "list": [1.0], "complex": 1j,
        "bool": True, "numpy": __import__("numpy").float32(0.25),
    }[answer]

@metric(axis="agreement")
@scorer(metrics=[mean()])
def graded() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        assert "given" not in state.metadata
        told = repr((state.output, state.messages, str(state.model), state.metadata))
        assert "scripted" not in told and "mockllm" not in told, "nothing says who answered"
        state.output.completion = "changed"
        words = {"right": "C", "wrong": "I", "half": "P", "none": "N", "text": "good", "dict": {"a": 1.0}}
        return Score(value=words[state.input_text])
    return score

@metric(axis="voice")
def needs(answer, wisdom): return 0

@metric(axis="voice")
async def waits(answer): return 0

def undeclared(answer): return 0
'''


@pytest.fixture
def mine(tiny: Path) -> Path:
    (tiny.parent / "mine.py").write_text(MINE, "utf-8")
    return tiny


def with_metrics(tiny: Path, *names: str, primary: str = "sentence_coverage") -> Study:
    with tiny.open("a") as file:
        file.write(f"metrics: [sentence_coverage, {', '.join(names)}]\nprimary: {{metric: {primary}}}\n")
    return open_study(str(tiny), out=str(tiny.parent / "out"))


def scored(study: Study, said: dict[str, str], name: str, logs: Path) -> dict[str, Score]:
    """input → the score of `name` for what is answered to it."""
    asked = study.held_out[0]

    def answer(input, tools, choice, config) -> ModelOutput:  # type: ignore[no-untyped-def]
        output = ModelOutput.from_content("scripted", said[input[-1].text])
        output.usage = ModelUsage()
        return output

    samples = [Sample(id=f"{asked.exchange_id}:{n}", input=i, target=asked.answer) for n, i in enumerate(said)]
    if len(said) == 1:
        samples[0].id = asked.exchange_id
    model = get_model("mockllm/model", memoize=False, custom_outputs=answer)
    (log,) = eval(
        Task(dataset=samples, scorer=scorers(study, {name}, warm=True)), model=model, log_dir=str(logs), display="none"
    )
    assert log.status == "success", log.error
    return {str(s.input): (s.scores or {})[name] for s in log.samples or []}


def test_a_function_is_named_by_its_file_and_says_what_it_reads(mine: Path, cache: Path, tmp_path: Path) -> None:
    study = with_metrics(mine, "mine.py@warmth", "mine.py@far", primary="mine.py@warmth")
    warmth, far = study.suite.own_metrics
    assert (warmth.name, warmth.axis, warmth.words, warmth.reads) == (
        "own_warmth",
        "voice",
        "How warm it sounds.",
        ["answer"],
    )
    assert (far.better, far.reads) == ("lower", ["answer", "real", "question", "earlier", "embed"])
    assert study.suite.primary.metric == "own_warmth" and not study.suite.facts["own_warmth"].reads_real
    assert study.suite.facts["own_far"].reads_real and study.suite.facts["own_far"].axis == "coverage"
    found = scored(study, {"?": "I thank you."}, "own_warmth", tmp_path / "logs")
    assert found["?"].as_float() == 1
    real = study.held_out[0].answer
    assert scored(study, {"?": real}, "own_far", tmp_path / "logs")["?"].as_float() == pytest.approx(0, abs=1e-5)


def test_it_sits_the_exam_that_ours_sit(mine: Path) -> None:
    study = with_metrics(mine, "mine.py@warmth", "mine.py@far", "mine.py@hostile")
    ladder = {"real": 1.0, "same_near": 1.0, "impostor_near": 0.0}
    of = {"own_warmth": 1.0, "own_far": 1.0, "own_hostile": 1.0, "sentence_coverage": 1.0}
    rungs = {c: {m: {e.exchange_id: Scored(value=v) for e in study.held_out} for m in of} for c, v in ladder.items()}
    found = {e.metric: e for e in exams(study, rungs, {})}
    assert "own_hostile" not in found, "without an axis it sits none"
    assert (found["own_warmth"].axis, found["own_warmth"].auc) == ("voice", 1.0)
    assert not found["own_far"].admitted and found["own_far"].reason.startswith("not examined")
    assert {"own_warmth", "own_far", "own_hostile"} <= set(metrics_of(study, "impostor_near"))
    assert "own_far" in metrics_of(study, "reworded") and "own_warmth" not in metrics_of(study, "reworded")


def test_what_is_no_number_is_unscored_and_says_why(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-tests-0123456789")
    study = with_metrics(mine, "mine.py@hostile")
    said = ("raises", "exits", "nan", "inf", "huge", "text", "none", "list", "complex", "bool", "numpy", "unknown")
    found = scored(study, {s: s for s in said}, "own_hostile", tmp_path / "logs")
    numbers = {s: score.as_float() for s, score in found.items() if not np.isnan(score.as_float())}
    assert numbers == {"bool": 1.0, "numpy": 0.25}
    why = {s: str(score.reason) for s, score in found.items() if s not in numbers}
    assert (
        why["raises"].startswith("mine.py@hostile raised ValueError: the key is") and "0123456789" not in why["raises"]
    )
    assert why["exits"] == "mine.py@hostile raised SystemExit: 0" and "KeyError" in why["unknown"]
    assert why["text"] == "mine.py@hostile gave a value of the type str, not a number"
    assert why["none"] == "mine.py@hostile gave no score" and why["nan"].endswith("gave nan, which is no score")
    assert all(why[s] for s in ("inf", "huge", "list", "complex"))


def test_a_score_above_its_top_is_none() -> None:
    from ratf.scores.own import number

    own = OwnMetric(name="own_a", code="a.py@a", top=1)
    assert number(1.0, own) == 1.0 and number(-3, own) == -3.0
    assert number(1.5, own) == "a.py@a gave 1.5, above its `top` of 1"


def test_a_scorer_of_inspects_is_a_metric(mine: Path, tmp_path: Path) -> None:
    study = with_metrics(mine, "mine.py@graded")
    said = ("right", "wrong", "half", "none", "text", "dict")
    found = scored(study, dict.fromkeys(said, "An answer."), "own_graded", tmp_path / "logs")
    assert [found[s].as_float() for s in said[:3]] == [1, 0, 0.5]
    assert found["none"].reason == "mine.py@graded gave no score"
    assert "its value is the text 'good', not a number" in str(found["text"].reason)
    assert "one number" in str(found["dict"].reason)
    assert study.suite.facts["own_graded"].reads_real
    told = [(ask.who, ask.calls, ask.note) for ask in plan(study).asks if ask.role == "scoring"]
    assert told == [("own_graded", 0, "what a scorer asks, and of whom, is not known")]


def test_the_documents_examples_are_metrics(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "extend.md").read_text("utf-8")
    function, asks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(function.splitlines()) <= 15
    for name, code in (("thanks", function), ("mentions_it", asks)):
        (tmp_path / "mine.py").write_text(code, "utf-8")
        own = read_metric(f"mine.py@{name}", tmp_path)
        assert own.axis and own.sha256
        made = own_metrics.function_of(own, tmp_path)
        if name == "thanks":
            assert made("I thank you all.", ("Yes.", "No.")) < made("No, not today.", ("Yes.", "No.")) == 1
            assert own.words == "How near the answer's share of thanks is to the person's usual share."


def test_a_scorers_score_is_recorded_and_its_code_is_not_run_in_a_replay(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = with_metrics(mine, "mine.py@graded")
    done: list[float] = []

    def work(study: Study) -> object:
        done.append(scored(study, {"right": "An answer."}, "own_graded", tmp_path / "logs")["right"].as_float())
        study.folder.mkdir(exist_ok=True)
        return None

    recorded(study, tmp_path / "recording", work)  # type: ignore[arg-type]
    for path in (tmp_path / "recording").rglob("*graded*"):
        assert "An answer." in "".join(p.read_text("utf-8") for p in ([path] if path.is_file() else path.glob("*")))
    code = mine.parent / "mine.py"
    code.write_text(MINE, "utf-8")
    code.unlink()
    with pytest.raises(DataError, match="no such file"):
        scorers(study, {"own_graded"})
    code.write_text(MINE, "utf-8")
    again = replace(study, folder=tmp_path / "again")
    monkeypatch.setattr("ratf.scores.own._plain", lambda score: pytest.fail("its code was run"))
    replayed(again, tmp_path / "recording", work)  # type: ignore[arg-type]
    assert done == [1.0, 1.0]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("mine.py", "say which function of the file it is, as mine.py@warmth"),
        ("mine.py@cold", "has no function cold; declared in it: warmth, far, hostile, graded"),
        ("mine.py@undeclared", "not declared as a metric; write @ratf.metric"),
        ("mine.py@needs", "it has the parameter wisdom; a metric's parameters are `answer`"),
        ("mine.py@waits", "it is an async function"),
        ("other.py@warmth", "other.py: no such file"),
        ("acme/warmth", "no installed package 'acme' has an entry point 'warmth'"),
        ("broken.py@f", "broken.py:2: its code does not run (ZeroDivisionError: division by zero)"),
        ("lost.py@f", "Install the package that it imports"),
        ("odd.py@f", "axis='tone': write one of topic, coverage, agreement, voice, facts"),
        ("quits.py@f", "its code does not run (SystemExit: 0)"),
        ("top.py@f", "top=nan: write a number"),
        ("big.py@f", "big.py:2: its code does not run (ValueError: top=1000"),
        ("words.py@f", "words=3: write a text"),
        ("forged.py@f", "forged.py@f: axis"),
        ("dumb.py@f", "its code does not run (Dumb: )"),
        ("asks.py@f", "its code does not run (OSError: no)"),
        ("blind.py@f", "blind.py@f: its parameters are not known"),
        (f"{'a' * 300}.py@f", "File name too long"),
        (f"long.py@{'f' * 70}", "at most 60 characters"),
    ],
)
def test_what_is_no_metric_is_told_when_the_suite_is_read(mine: Path, spec: str, said: str) -> None:
    for name, code in {
        "broken": "x = 1\n1 / 0\n",
        "lost": "import no_such_package\n",
        "odd": "from ratf import metric\n@metric(axis='tone')\ndef f(answer): return 0\n",
        "quits": "raise SystemExit(0)\n",
        "top": "from ratf import metric\n@metric(top=float('nan'))\ndef f(answer): return 0\n",
        "big": "from ratf import metric\n@metric(top=10**400)\ndef f(answer): return 0\n",
        "words": "from ratf import metric\n@metric(words=3)\ndef f(answer): return 0\n",
        "forged": "from ratf.suite.own_metrics import Declared\ndef f(answer): return 0\n"
        "f.__ratf_metric__ = Declared('tone', 'higher', 1, '')\n",
        "dumb": "class Dumb(Exception):\n    def __str__(self): raise ValueError\nraise Dumb\n",
        "asks": "def __getattr__(name): raise OSError('no')\n",
        "blind": "from ratf import metric\nclass F:\n    __signature__ = 3\n    def __call__(self, answer): return 0\n"
        "f = metric()(F())\n",
        "long": f"from ratf import metric\n@metric()\ndef {'f' * 70}(answer): return 0\n",
    }.items():
        (mine.parent / f"{name}.py").write_text(code, "utf-8")
    with pytest.raises(RaftError) as error:
        with_metrics(mine, spec)
    assert said in str(error.value)


def test_other_code_is_another_suite(mine: Path) -> None:
    before = with_metrics(mine, "mine.py@warmth")
    code = mine.parent / "mine.py"
    code.write_text(MINE.replace('"thank" in', '"thanks" in'), "utf-8")
    with pytest.raises(DataError, match="not the code of own_warmth that this suite was read with"):
        scorers(before, {"own_warmth"})
    after = open_study(str(mine))
    assert before.digest != after.digest
    assert before.suite.own_metrics[0].sha256 != after.suite.own_metrics[0].sha256


def test_a_finished_runs_code_is_not_run(mine: Path) -> None:
    (mine.parent / "mine.py").write_text("raise SystemExit('it was run')\n", "utf-8")
    with mine.open("a") as file:
        file.write("metrics: [sentence_coverage, mine.py@warmth]\nprimary: {metric: sentence_coverage}\n")
    assert open_study(str(mine), finished=True).suite.metrics == ["sentence_coverage", "own_warmth"]
    with pytest.raises(DataError, match="it was run"):
        open_study(str(mine))


def test_facts_are_not_written_by_hand(mine: Path) -> None:
    with mine.open("a") as file:
        file.write("metrics: [own_warmth]\nown_metrics: [{name: own_warmth, code: x}]\n")
    with pytest.raises(DataError, match="own_metrics and rubric_files are not written here"):
        open_study(str(mine))
    mine.write_text(mine.read_text("utf-8").replace("own_metrics: [{name: own_warmth, code: x}]\n", ""), "utf-8")
    with pytest.raises(
        DataError, match="no metric is called 'own_warmth'; one of your own stands among the metrics as"
    ):
        open_study(str(mine))


def test_an_installed_package_names_its_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "acme_tone"
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    (package / "words.py").write_text("WARM = ('thank',)\n", "utf-8")
    (package / "warm.py").write_text(
        "from ratf import metric\nfrom acme_tone.words import WARM\n"
        "@metric(axis='voice')\ndef warmth(answer): return float(any(w in answer for w in WARM))\n",
        "utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("warmth", "acme_tone.warm:warmth", own_metrics.GROUP)
    monkeypatch.setattr(own_metrics, "entry_points", lambda group: [point] if group == own_metrics.GROUP else [])
    found = read_metric("acme_tone/warmth", tmp_path)
    assert (found.name, found.axis) == ("own_warmth", "voice")
    (package / "words.py").write_text("WARM = ('thank', 'dear')\n", "utf-8")
    assert read_metric("acme_tone/warmth", tmp_path).sha256 != found.sha256, "a helper's code counts as well"
    for name in [n for n in sys.modules if n.startswith("acme_tone")]:
        monkeypatch.delitem(sys.modules, name)


def test_a_judge_is_named_by_its_file(mine: Path) -> None:
    rubric = (Path(__file__).parents[2] / "data/replay/judges/aim.yaml").read_text("utf-8")
    (mine.parent / "rubrics").mkdir()
    (mine.parent / "rubrics" / "aim.yaml").write_text(rubric, "utf-8")
    study = with_metrics(mine, "rubrics/aim.yaml", primary="rubrics/aim.yaml")
    assert study.suite.metrics[1:] == ["judge_aim"] and study.suite.primary.metric == "judge_aim"
    assert study.suite.rubrics["aim"].name == "aim" and "rubric_files" not in study.suite.model_dump()
    (mine.parent / "rubrics" / "aim.yaml").write_text(rubric.replace("version: 1", "version: 2"), "utf-8")
    assert open_study(str(mine)).digest != study.digest
