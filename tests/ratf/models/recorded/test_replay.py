"""Replays without any model, of recordings that are in the repository and of runs recorded here."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ModelUsage, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo
from record_replay import EXPECTED, HERE, OPTIONS, RECORDING, scores

from raft.errors import DataError, RaftError
from raft.progress import silent
from ratf.gate.gate import check
from ratf.models.recorded.listening import HostedEmbedder
from ratf.models.recorded.recordings import Recording, difference, digest_of, key_of
from ratf.models.recorded.replay import Session, recorded, replayed
from ratf.reporting.markdown import markdown
from ratf.results.results import Results, dumps, load
from ratf.runner import run
from ratf.suite.study import Study, open_study

AGAIN = "the recording no longer fits the program; if that is meant, run: python tests/support/record_replay.py"
ALONE = """
import importlib.abc, socket, sys
class NoTorch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "transformers"): raise ModuleNotFoundError("a replay loaded " + name)
sys.meta_path.insert(0, NoTorch())
def refuse(*_): raise AssertionError("a replay went to the network")
socket.getaddrinfo = refuse
connect = socket.socket.connect
socket.socket.connect = lambda self, to: connect(self, to) if self.family == socket.AF_UNIX else refuse()
from ratf.cli import app
app(sys.argv[1:])
"""


def carry_out(study: Study) -> Results:
    return run.carry_out(study, silent, allow_leaks=True, judge_anyway=True)


def without_times(results: Results) -> dict[str, Any]:
    """And without what was spent: a replay spends nothing."""
    left = json.loads(dumps(results))
    return {k: v for k, v in left.items() if k not in ("times", "replayed", "environment", "budget")}


def rounded(made: Any) -> Any:
    return json.loads(json.dumps(made), parse_float=lambda digits: round(float(digits), 5))


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The suite and its recording, to be spoilt."""
    return Path(shutil.copytree(HERE, tmp_path / "copy"))


@pytest.fixture
def encoder_only(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has no key, no language model and no reply: of the encoder, the tokenizer cuts the passages."""
    (tmp_path / "cache" / "models").mkdir(parents=True)
    for folder in models.glob("all-minilm*"):
        (tmp_path / "cache" / "models" / folder.name).symlink_to(folder)
    monkeypatch.setenv("RATF_CACHE", str(tmp_path / "cache"))
    for name in ("OPENAI_API_KEY", "LOOPBACK_API_KEY", "OPENAI_BASE_URL", "LOOPBACK_BASE_URL", "INSPECT_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)


def missed(copy: Path, tmp_path: Path) -> str:
    study = open_study(str(copy / "suite.yaml"), out=str(tmp_path / "out"))
    with pytest.raises(RaftError) as caught:
        replayed(study, copy / "recording", carry_out)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*")), "a miss wrote something"
    return str(caught.value)


def test_the_recorded_run_is_replayed_without_network_and_torch(encoder_only: None, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--replay", str(RECORDING), "--out", str(out), *OPTIONS]
    command = [sys.executable, "-c", ALONE, "run", str(HERE / "suite.yaml"), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert (out / "results.json").is_file(), done.stderr
    results = load(out / "results.json")
    found, expected = scores(json.loads(dumps(results))), json.loads(EXPECTED.read_text("utf-8"))
    assert rounded(found) == rounded(expected), AGAIN  # the last bits of a mean are the processor's
    judged = [a.scores["judge_aim"] for q in results.questions for a in q.answers.values() if "judge_aim" in a.scores]
    assert any("next-token probabilities" in v["why"] for s in judged for v in s.votes), "no probability came back"
    assert results.replayed.startswith("recording ") and results.times["of"] == "the replay"
    assert "no model was asked" in done.stderr
    page = (out / "report.html").read_text("utf-8")
    assert "replayed: no model was asked" in page and results.replayed in page
    checked = check(results)
    assert checked.notes[0] == f"Replayed: no model was asked; the replies are from {results.replayed}."
    assert "Replayed: no model was asked" in markdown(results, checked)


def test_a_changed_question_and_a_changed_judge_are_misses(encoder_only: None, copy: Path, tmp_path: Path) -> None:
    path = copy / "ferry" / "interviews.jsonl"
    text = path.read_text("utf-8")
    path.write_text(text.replace("What will you miss when you stop?", "What will you miss once you stop?"), "utf-8")
    told = missed(copy, tmp_path)
    assert "not in the recording" in told and "embedding, of openai/smollm2-135m-instruct" in told
    assert "miss [-when-] {+once+} you stop?" in told and str(copy / "recording") in told
    path.write_text(text, "utf-8")

    judge = copy / "judges" / "aim.yaml"
    judge.write_text(judge.read_text("utf-8").replace("want the same thing as", "wish for the same as"), "utf-8")
    told = missed(copy, tmp_path)
    assert re.search(r"the judges' exam, question ferry-\d+-q\d+, of openai-api/loopback/smollm2-135m-instruct", told)
    assert '"rubric": [-"' in told and "answer [-want-] {+wish for+} the same" in told
    assert "more, some of which may follow from these" in told and "--record" in told


def test_a_changed_setting_of_the_answers_names_arm_and_question(
    encoder_only: None, copy: Path, tmp_path: Path
) -> None:
    suite = copy / "suite.yaml"
    suite.write_text(suite.read_text("utf-8").replace("max_tokens: 40", "max_tokens: 41"), "utf-8")
    first = missed(copy, tmp_path).splitlines()[1:5]
    name = first[2].strip()
    file, _, line = name.rpartition(":")
    assert Path(file).parent == copy / "recording"
    assert "ferry-2018-q001" in Path(file).read_text("utf-8").split("\n")[int(line) - 1]
    assert [first[0], first[1].partition(" (")[0], first[3]] == [
        "baseline, question ferry-2018-q001, of openai-api/loopback/smollm2-135m-instruct",
        "  nearest: baseline, question ferry-2018-q001",
        '    … model openai-api/loopback/smollm2-135m-instruct config {"max_tokens": [-40,-] {+41,+} "top_p": 0.9, '
        '"temperature": 0.7, …',
    ]


def test_a_changed_file_is_named(encoder_only: None, copy: Path, tmp_path: Path) -> None:
    study = open_study(str(copy / "suite.yaml"), out=str(tmp_path / "out"))
    path = next((copy / "recording").glob("openai-api*.jsonl"))
    lines = path.read_text("utf-8").split("\n")[:-1]
    lines[2], lines[4] = lines[2].replace("0", "1"), lines[2]  # edited; the same request twice
    path.write_text("\n".join(lines)[:-20] + "\n", "utf-8")  # cut short
    with pytest.raises(DataError) as caught:
        replayed(study, copy / "recording", carry_out)
    # the line that was edited is no entry, so that the other is there once
    assert [p.partition(": ")[0] for p in caught.value.problems] == [f"{path}:3", f"{path}:{len(lines)}"]
    path.write_text("\n".join([*lines[3:], lines[3]]) + "\n", "utf-8")
    with pytest.raises(DataError, match=rf"{path.name}:{len(lines) - 2}: not as it was recorded"):
        replayed(study, copy / "recording", carry_out)
    assert not (tmp_path / "out").exists()


def test_what_is_not_there_or_belongs_to_another(ratf: Callable[..., Any], copy: Path, tmp_path: Path) -> None:
    suite = copy / "suite.yaml"
    both = ratf("run", suite, "--record", tmp_path / "a", "--replay", tmp_path / "b")
    assert both.returncode == 2 and "give one of them" in both.stderr
    study = open_study(str(suite), out=str(tmp_path / "out"))
    with pytest.raises(RaftError, match="no recording is there; `ratf run SUITE --record"):
        replayed(study, tmp_path / "nowhere", carry_out)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(RaftError, match="something other than a replay"):
        replayed(study, copy / "recording", carry_out)
    with pytest.raises(RaftError, match="not an empty folder"):
        recorded(study, copy / "recording", carry_out)
    with pytest.raises(RaftError, match="not recorded there from its start"):
        recorded(study, tmp_path / "new", carry_out)
    manifest = copy / "recording" / "recording.json"
    manifest.write_text(manifest.read_text().replace("true", "false"))
    with pytest.raises(RaftError, match="stopped halfway"):
        replayed(replace(study, folder=tmp_path / "other"), copy / "recording", carry_out)
    assert files(tmp_path / "out") == {"notes.txt": b"mine"} and not (tmp_path / "new").exists()


ASKED: list[str] = []


@modelapi(name="moody")
class Moody(ModelAPI):
    """Never says the same twice, and repeats its key."""

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        ASKED.append(input[-1].text)
        said = f'{{"useful": true, "memory": "I said that {len(ASKED)} times.", "evidence": "Fog is only weather"}}'
        output = ModelOutput.from_content(self.model_name, f"{said} {os.environ['MOODY_API_KEY']}")
        output.usage = ModelUsage(input_tokens=3, output_tokens=2, total_tokens=5)
        return output


@pytest.mark.slow
def test_cached_replies_are_recorded_and_a_kill_loses_none(
    cache: Path, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODY_API_KEY", "sk-moody-and-secret")
    suite = yaml.safe_load((copy / "suite.yaml").read_text("utf-8"))
    models = dict.fromkeys(("base", "paraphraser", "grader"), "moody/m")
    suite |= {"models": models, "memories": {"k": 1, "rephraser": "moody/m"}, "answers": {"history": "free_running"}}
    (copy / "suite.yaml").write_text(yaml.safe_dump(suite), "utf-8")
    study = open_study(str(copy / "suite.yaml"), out=str(tmp_path / "one"))

    def killed(study: Study) -> Results:
        carry_out(study)
        (study.folder / "results.json").unlink()
        shutil.rmtree(study.folder / "logs")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded(study, tmp_path / "rec-one", killed)
    asked = len(ASKED)
    one = recorded(study, tmp_path / "rec-one", carry_out)
    assert len(ASKED) == asked, "what was recorded, or cached, was asked again"
    first = files(tmp_path / "rec-one")
    assert first and not any(b"sk-moody" in content for content in first.values())
    assert any(b"(a key)" in content for content in first.values())

    two = recorded(replace(study, folder=tmp_path / "two"), tmp_path / "rec-two", carry_out)
    again = replayed(replace(study, folder=tmp_path / "again"), tmp_path / "rec-one", carry_out)
    # the embedded encoder's batches were others when the run went on, which shows far behind the point
    assert rounded(without_times(again)) == rounded(without_times(one))
    second = files(tmp_path / "rec-two")
    lines = [line for content in first.values() for line in content.splitlines() if b'"baseline, question' in line]
    there = {line for content in second.values() for line in content.splitlines()}
    assert lines and set(lines) <= there, "a cached reply was not recorded"
    assert two.replayed == ""
    asked = len(ASKED)
    replayed(replace(study, folder=tmp_path / "again"), tmp_path / "rec-two", carry_out)
    assert len(ASKED) == asked


@pytest.mark.slow
def test_tuned_arms_are_replayed_without_base_and_adapters(
    tiny_at_once: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = yaml.safe_load(tiny_at_once.read_text("utf-8"))
    suite |= {
        "memories": {"k": 1, "hindsight": True},
        "split": {"held_out_interviews": 2, "questions": 2, "training_exchanges": 4},
        "metrics": ["rouge_l", "embedding_cosine", "judge_stance"],
        "controls": ["real", "same_near", "impostor_near"],
        "exam": {"comparisons": 8},
        "primary": {"metric": "rouge_l", "better": "raft", "than": "baseline"},
    }
    tiny_at_once.write_text(yaml.safe_dump(suite), "utf-8")
    study = open_study(str(tiny_at_once), out=str(tmp_path / "run"))
    live = recorded(study, tmp_path / "recording", carry_out)
    assert len(live.tuned) == 2 and live.retrieval and live.questions[0].answers["raft"].text

    shutil.rmtree(cache / "adapters")
    shutil.rmtree(cache / "replies")
    monkeypatch.setattr(
        "raft.models.local.load_base", lambda *_: pytest.fail("a replay read a language model's weights")
    )
    monkeypatch.setattr("raft.tuning.lora.load_base", lambda *_: pytest.fail("a replay tuned"))
    replay = replayed(replace(study, folder=tmp_path / "replay"), tmp_path / "recording", carry_out)
    assert without_times(replay) == without_times(live)
    assert replay.budget and replay.budget.tokens == 0 and live.budget and live.budget.tokens
    assert replay.arms["raft"].model == live.arms["raft"].model and replay.tuned == live.tuned

    tiny_at_once.write_text(
        tiny_at_once.read_text("utf-8").replace("learning_rate: 0.001", "learning_rate: 0.002"), "utf-8"
    )
    other = open_study(str(tiny_at_once), out=str(tmp_path / "other"))
    with pytest.raises(RaftError, match=r"finetune_only.*, of [^ ]+\n.*nearest: finetune_only"):
        replayed(other, tmp_path / "recording", carry_out)


def request(text: str, model: str = "some/model") -> dict[str, Any]:
    messages = [{"role": "user", "content": text.split("\n")}]
    return {"kind": "chat", "model": model, "config": {}, "scopes": {}, "messages": messages}


def test_different_replies_to_the_same_request_are_told_apart(tiny: Path, tmp_path: Path) -> None:
    study = open_study(str(tiny))
    session = Session(study, Recording(tmp_path), replaying=False)
    asked = [session.take(request(q), "raft") for q in ("a", "a", "b", "b")]
    assert asked == [(0, None), (1, None), (0, None), (1, None)]
    # the second reply may come before the first
    for text, number, reply in (("a", 1, "two"), ("b", 0, "same"), ("a", 0, "one"), ("b", 1, "same")):
        session.keep(request(text), number, reply, "raft")
    kept = Recording(tmp_path)
    kept.load()
    replay = Session(study, kept, replaying=True)
    assert [replay.take(request("a"), "raft")[1] for _ in range(2)] == ["one", "two"]
    assert [replay.take(request("b"), "raft")[1] for _ in range(3)] == ["same"] * 3
    with pytest.raises(RaftError, match="asked 2 times only"):
        replay.take(request("a"), "raft")


def as_before(folder: Path) -> None:
    """Lay a recording out as versions before did: a file a request, in a folder a model."""
    recording = Recording(folder)
    recording.load()
    about = recording.manifest()
    for key, entry in recording.entries.items():
        made = entry.made()
        place = folder / entry.file.removesuffix(".jsonl") / f"{key}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps({"digest": digest_of(made), **made}, indent=1), "utf-8")
    for path in folder.glob("*.jsonl"):
        path.unlink()
    (folder / "recording.json").write_text(json.dumps({**about, "format": 1}), "utf-8")


def test_recordings_of_before_are_read_and_a_run_that_goes_on_rewrites_them(copy: Path) -> None:
    folder = copy / "recording"
    now = Recording(folder)
    now.load()
    lines = files(folder)
    as_before(folder)
    assert len(list(folder.glob("*/*.json"))) == len(now.entries) > 100 and not list(folder.glob("*.jsonl"))
    before = Recording(folder)
    before.load()
    assert before.digest() == now.digest() and before.manifest()["format"] == 1
    one = sorted(folder.glob("*/*.json"))[0]
    whole = one.read_bytes()
    one.write_bytes(whole[:-20])
    with pytest.raises(DataError, match=f"{one.name}: not as it was recorded"):
        Recording(folder).load()
    one.write_bytes(whole)
    before.settle()
    before.write_manifest({k: v for k, v in before.manifest().items() if k not in ("format", "finished")}, True)
    assert files(folder) == lines, "a folder or a file of before is left, or a line is another"


def test_a_line_that_a_kill_cut_short_is_left_out_and_asked_again(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.write_manifest({}, finished=False)
    for n in range(3):
        recording.keep(request(f"question {n}"), 0, f"reply {n}", "raft")
    recording.also_for(request("question 0"), "baseline")
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes() + b'{"for": ["raft"], "requ')
    again = Recording(tmp_path)
    again.load()
    assert again.entries[key_of(request("question 0"))].asked_for == {"raft", "baseline"}, "the later line counts"
    again.settle()
    again.keep(request("question 3"), 0, "reply 3", "raft")
    again.settle()
    again.write_manifest({}, finished=True)
    whole = Recording(tmp_path)
    whole.load()
    assert [json.loads(line)["replies"] for line in path.read_text("utf-8").splitlines()] == [
        [f"reply {n}"] for n in range(4)
    ]
    path.write_bytes(path.read_bytes()[:-1])
    Recording(tmp_path).load()  # only the end of the last line is missing, and nothing of what it says


@pytest.mark.parametrize("forged", [{"replies": "ab"}, {"request": {"model": "a/b"}}, {"request": 5}])
def test_a_line_of_another_shape_is_named_though_its_digest_is_right(tmp_path: Path, forged: dict[str, Any]) -> None:
    recording = Recording(tmp_path)
    recording.keep(request("?"), 0, {"text": ["a"]}, "w")
    (path,) = tmp_path.glob("*.jsonl")
    made = {k: v for k, v in json.loads(path.read_text("utf-8")).items() if k != "digest"} | forged
    path.write_text(json.dumps({**made, "digest": digest_of(made)}) + "\n", "utf-8")
    with pytest.raises(DataError, match=r"jsonl:1: not as it was recorded"):
        Recording(tmp_path).load()


@pytest.mark.parametrize("vector", ["!!!", "AAAA", "", 5, "AACAfwAAgH8="])
def test_a_recorded_vector_that_is_none_is_no_vector(vector: Any) -> None:
    class Given:
        def take(self, *_: object, **__: object) -> tuple[int, Any]:
            return 0, vector

    embedder = HostedEmbedder(Given(), "some/model", lambda: pytest.fail("asked"))  # type: ignore[arg-type]
    with pytest.raises(RaftError, match="the recorded vectors of some/model"):
        embedder.embed(["a"])


def test_the_order_of_calls_does_not_show(tmp_path: Path) -> None:
    said = [(request(f"question {i}"), f"reply {i}", who) for i in range(4) for who in ("raft", "baseline")]
    for name, order in (("one", said), ("two", said[::-1])):
        recording = Recording(tmp_path / name)
        for asked, reply, who in order:
            recording.keep(asked, 0, reply, who)
        recording.settle()
    assert files(tmp_path / "one") == files(tmp_path / "two") and files(tmp_path / "one").keys() == {"some_model.jsonl"}


TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["\ud800", '["x", 1]', '"top": [["A", -0.5]]', "\x1b[2J", "{\n}", '[",\n "', "\u202e", "../../x", "\r\n"]
)


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, reply=TEXTS, model=TEXTS, logprob=st.floats(-1e30, 1e30))
def test_whatever_is_said_comes_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, reply: str, model: str, logprob: float
) -> None:
    folder = tmp_path_factory.mktemp("recording")
    made = {"text": reply.split("\n"), "tokens": [{"token": [reply, logprob], "top": [[text, logprob], [reply, -0.1]]}]}
    Recording(folder).keep(request(text, model), 0, made, text)
    (path,) = folder.rglob("*.jsonl")
    assert path.parent == folder and not path.name.startswith("."), "a model's name left the folder"
    read = Recording(folder)
    read.load()
    entry = read.entries[key_of(request(text, model))]
    assert entry.reply(0) == made and entry.request == request(text, model)


def test_a_miss_shows_hostile_text_as_text(tiny: Path, tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.keep(request("The river \x1b[31mrose by the mill"), 0, "x", "raft")
    with pytest.raises(RaftError) as caught:
        Session(open_study(str(tiny)), recording, replaying=True).take(
            request("The river \x1b[2Jfell by the mill"), "raft"
        )
    assert "\x1b" not in str(caught.value) and "fell" in str(caught.value)
    alike, places = difference(request("a b c d e f g"), request("a b c x e f g"))
    assert 0.8 < alike < 1 and "c [-d-] {+x+} e" in places[0]
