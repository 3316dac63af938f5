"""Bundles: the same bytes, read with distrust; and whatever was tampered with is caught and named."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from boards import planted
from commands import Command

from raft.errors import RaftError
from ratf.results import bundle as bundling
from ratf.results.bundle import Sample, is_bundle, read_bundle, write_bundle
from ratf.results.results import Results, Scored, save
from ratf.review.record import Check, Verification, verified_runs
from ratf.review.statistics import scores_of
from ratf.review.verify import verify
from ratf.scores import scorers
from ratf.scores.content_exam import examine_content
from ratf.scores.measures import TextMeasures
from ratf.statistics.decision import decide
from ratf.statistics.samples import spread
from ratf.suite import metrics
from ratf.suite.metrics import LADDERS
from ratf.suite.rubric import of_metric
from ratf.suite.suite import Suite

Raw = dict[str, Any]
ARMS = {"baseline": 0.1, "raft": 0.7}
METRICS = ("rouge_l", "length_ratio", "judge_stance")
TONE = {
    "name": "own_tone", "code": "mine.py@tone", "axis": "voice", "better": "higher", "top": 2.0, "words": "its tone",
    "reads": ["answer"], "sha256": "a" * 64,
}  # fmt: skip
WORDS = [
    "the",
    "river",
    "is",
    "high",
    "and",
    "the",
    "weir",
    "was",
    "shut",
    "when",
    "the",
    "boats",
    "came",
    "down",
    "from",
    "the",
    "mill",
    "in",
    "the",
    "rain",
]


@cache
def honest(names: tuple[str, ...] = METRICS) -> Results:
    """A run whose every number is what its answers and the judge's grades give."""
    from ratf.statistics.attribution import attribution
    from ratf.statistics.contrasts import contrasts
    from ratf.statistics.estimates import clustered_mean
    from ratf.statistics.exam import examine
    from ratf.statistics.skill import skill

    settings = {
        "name": "planted", "person": "marrack", "impostors": ["pell"], "arms": ["baseline", "raft"],
        "controls": ["same_near", "impostor_near"], "metrics": list(names), "models": {"grader": "openai/g"},
        "primary": {"metric": "rouge_l", "better": "raft", "than": "baseline"},
        **({"own_metrics": [TONE]} if TONE["name"] in names else {}),
    }  # fmt: skip
    suite = Suite.model_validate(settings, context={"finished": True})
    digest = hashlib.sha256(f"{suite.model_dump_json()}\0data".encode()).hexdigest()[:16]
    made = planted(ARMS, metrics=names, admitted=(), data_digest="data", digest=digest)
    raw = made.model_dump(mode="json") | {"suite": suite.model_dump(mode="json")}
    raw["metrics"]["judge_stance"]["rubric"] = of_metric("judge_stance", suite.rubrics)[0].digest
    if TONE["name"] in names:
        raw["metrics"][TONE["name"]] |= {key: value for key, value in TONE.items() if key not in ("name", "reads")}
    for i, question in enumerate(raw["questions"]):
        question["real"] = " ".join(WORDS[i % 5 :])
        for arm, answer in question["answers"].items():
            grade = answer["scores"]["judge_stance"]["value"]
            answer["text"] = " ".join(WORDS[i % 5 :][: 3 + round(10 * abs(grade))])
            f = TextMeasures("local/all-minilm-l6-v2").rouges([(answer["text"], question["real"])])[0]["rougeL"]
            answer["scores"]["rouge_l"]["value"] = round(f, 6)
            answer["scores"]["length_ratio"]["value"] = round(len(answer["text"].split()) / len(WORDS[i % 5 :]), 6)
            if "long_words" in names:
                answer["scores"]["long_words"]["value"] = round(long_words(answer["text"]), 6)
            assert arm
    scores = scores_of(Results.model_validate(raw | {"skill": [], "exam": []}))
    cluster = {q["id"]: q["interview_id"] for q in raw["questions"]}
    for arm, result in raw["arms"].items():
        for name, cell in result["metrics"].items():
            e = clustered_mean([s.value or 0 for s in scores[arm][name].values()], list(cluster.values()))
            assert e
            cell |= {"mean": e.mean, "low": e.low, "high": e.high}
    found = contrasts({a: scores[a] for a in ARMS}, [("raft", "baseline")], cluster)
    rungs = {c: {q: s.value for q, s in scores[c]["rouge_l"].items()} for c in ("same_near", "impostor_near")}
    exam = examine("rouge_l", "content", LADDERS["content"], rungs, cluster, 0.6)
    assert exam.admitted
    sat = [exam]
    if TONE["name"] in names:
        rungs = {c: {q: s.value for q, s in scores[c][TONE["name"]].items()} for c in rungs}
        sat.append(examine_content(TONE["name"], "voice", rungs, cluster, 0.6, False, False))
        assert sat[1].admitted, sat[1].reason
    numbers = {a: {q: s.value or 0.0 for q, s in of["rouge_l"].items()} for a, of in scores.items()}
    ends = (numbers["impostor_near"], numbers["same_near"])
    facts = {"rouge_l": {"axis": "coverage", "better": "higher"}}
    made = decide({"rouge_l": found[0]}, ("raft", "baseline"), facts, scores, cluster, {})
    raw |= {
        "contrasts": [c.model_dump() for c in found],
        "attribution": effects.model_dump() if (effects := attribution(scores, cluster)) else None,
        "exam": [e.model_dump() for e in sat],
        "skill": [s.model_dump() for a in ARMS if (s := skill("rouge_l", a, numbers[a], *ends, cluster))],
        "verdict": made.verdict,
        "sentence": made.sentence,
        "second_looks": [look.model_dump() for look in made.looks],
    }
    return Results.model_validate(raw)


def logged(results: Results) -> list[Raw]:
    return [
        {
            "arm": arm, "question": q.id, "epoch": 1, "answer": a.text, "given": None, "error": None,
            "scores": {m: {"value": s.value, "explanation": "Yes.", "reason": None, "about": {}} for m, s in a.scores.items()},
        }
        for q in results.questions for arm, a in q.answers.items()
    ]  # fmt: skip


def long_words(text: str) -> float:
    """The share of words of four letters and more: a metric that only a test has."""
    return sum(len(word) > 3 for word in text.split()) / len(text.split())


def packed(folder: Path, run: Results | None = None) -> Path:
    run = run or honest()
    save(run, folder / "run" / "results.json")
    samples = [Sample(**s) for s in logged(run)]
    write_bundle(folder / "run", run, samples, folder / "run.zip")
    return folder / "run.zip"


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def checked(path: Path, folder: Path) -> Verification:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return verify(read_bundle(path), path, work)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    assert packed(tmp_path / "a").read_bytes() == packed(tmp_path / "b").read_bytes()
    assert [p.name for p in (tmp_path / "a").iterdir() if p.suffix != ".zip"] == ["run"]


def test_an_honest_bundle_holds(tmp_path: Path) -> None:
    found = checked(packed(tmp_path), tmp_path)
    assert [c for c in found.checks if c.outcome == "differs"] == [] and found.holds
    assert {c.what: c.outcome for c in found.checks if c.what.startswith("metric")} == {
        "metric rouge_l": "matches",
        "metric length_ratio": "matches",
        "metric judge_stance": "not recomputed",
    }


def test_a_new_metric_that_reads_texts_is_worked_out_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(metrics.METRICS, "long_words", metrics.Metric("length", "share of long words", None))
    monkeypatch.setitem(scorers.MEASURES, "long_words", lambda study, state, real: long_words(state.output.completion))
    run = honest((*METRICS, "long_words"))

    def told(run: Results, name: str) -> Any:
        return next(c for c in checked(packed(tmp_path / name, run), tmp_path).checks if c.what == "metric long_words")

    found = told(run, "whole")
    assert (found.outcome, found.told) == (
        "matches",
        f"{sum(len(q.answers) for q in run.questions)} scores, within 2e-06",
    )
    raw = run.model_dump(mode="json")
    raw["questions"][0]["answers"]["raft"]["scores"]["long_words"]["value"] += 1e-4
    found = told(Results.model_validate(raw), "changed")
    assert found.outcome == "differs" and "raft on" in found.told


def test_a_metric_of_the_runs_own_is_not_worked_out_again(tmp_path: Path, ratf: Command) -> None:
    run = honest((*METRICS, "own_tone"))
    found = checked(packed(tmp_path / "honest", run), tmp_path)
    told = {c.what: (c.outcome, c.told) for c in found.checks}
    why = "it is the run's own code mine.py@tone (sha256 aaaaaaaaaaaa), which is not run here"
    assert told["metric own_tone"] == ("not recomputed", why)
    assert told["code of own_tone"][0] == "matches"
    assert not [c for c in found.checks if c.outcome == "differs"], "its exam is worked out from its scores"
    assert found.missing == ["own_tone"] and not found.holds
    out = ratf("verify", tmp_path / "honest" / "run.zip")
    assert out.returncode == 2 and "nobody worked out own_tone again, and the run rests on it" in out.stdout

    for key, value in {"better": "lower", "sha256": "b" * 64}.items():
        raw = run.model_dump(mode="json")
        raw["metrics"]["own_tone"][key] = value
        found = checked(packed(tmp_path / key, Results.model_validate(raw)), tmp_path)
        assert "code of own_tone" in {c.what for c in found.checks if c.outcome == "differs"}
    raw = run.model_dump(mode="json")
    raw["suite"]["metrics"][-1] = "mine.py@tone"
    del raw["suite"]["own_metrics"]
    found = checked(packed(tmp_path / "spec", Results.model_validate(raw)), tmp_path)
    assert any(c.outcome == "differs" for c in found.checks), "its code was not run, so its meaning is not known"


def test_a_metric_of_the_runs_own_stands_on_page_board_gate_and_contrasts(tmp_path: Path) -> None:
    from ratf.boards.leaderboard import leaderboard
    from ratf.gate.gate import check
    from ratf.gate.policy import load_policy
    from ratf.reporting.files import write_report

    run = honest((*METRICS, "own_tone"))
    assert [c.family for c in run.comparisons if c.metric == "own_tone"] == ["own"]
    page = write_report(run, tmp_path / "report.html", None).read_text("utf-8")
    assert "Tone (own)" in page and "What the suite's own code measures" in page.replace("&#39;", "'")
    (board,) = leaderboard([run]).boards
    (table,) = [t for t in board.tables if t.metric == "own_tone"]
    assert table.axis == "voice" and all(row.admitted for row in table.rows)
    (tmp_path / "policy.yaml").write_text("critical: [raft better than baseline on own.tone]\n", "utf-8")
    found = check(run, None, load_policy(tmp_path / "policy.yaml"))
    assert found.rules[0].verdict == "PASS", found.rules[0].sentence
    raw = run.model_dump(mode="json")
    raw["metrics"]["own_tone"]["better"] = "lower"
    turned = check(Results.model_validate(raw), None, load_policy(tmp_path / "policy.yaml"))
    assert turned.verdict == "NOT MEASURED" and "lower is better on own_tone, which it is not" in turned.trouble[0]


def test_a_run_is_not_verified_by_other_metrics_than_it_rests_on(tmp_path: Path) -> None:
    honest = checked(packed(tmp_path), tmp_path)
    assert honest.speaking == ["rouge_l"] and honest.metrics == ["rouge_l", "length_ratio"]
    left = Check(what="metric style_identity", outcome="not recomputed", told="it needs the people's data")
    resting = honest.model_copy(
        update={"speaking": ["style_identity", "judge_stance"], "checks": [*honest.checks, left]}
    )
    assert resting.missing == ["style_identity"] and not resting.holds
    again = left.model_copy(update={"outcome": "matches"})
    whole = resting.model_copy(update={"checks": [*honest.checks, again]})
    assert whole.missing == [] and whole.holds and "style_identity" in whole.metrics
    for record, refused in ((resting, True), (whole, False)):
        (tmp_path / "record.json").write_text(record.model_dump_json(), "utf-8")
        if refused:
            with pytest.raises(RaftError, match="does not say"):
                verified_runs([tmp_path / "record.json"])
        else:
            assert verified_runs([tmp_path / "record.json"]) == {whole.results: whole.metrics}


def answer(raw: Raw, samples: list[Raw]) -> None:
    text = " ".join(WORDS)
    raw["questions"][0]["answers"]["raft"]["text"] = text
    next(s for s in samples if s["arm"] == "raft")["answer"] = text


def answer_in_results(raw: Raw, _: list[Raw]) -> None:
    raw["questions"][0]["answers"]["raft"]["text"] = " ".join(WORDS)


def score(raw: Raw, samples: list[Raw]) -> None:
    raw["questions"][0]["answers"]["raft"]["scores"]["rouge_l"]["value"] = 0.999
    next(s for s in samples if s["arm"] == "raft")["scores"]["rouge_l"]["value"] = 0.999


def grade(raw: Raw, samples: list[Raw]) -> None:
    raw["questions"][0]["answers"]["raft"]["scores"]["judge_stance"]["value"] = 1.0
    next(s for s in samples if s["arm"] == "raft")["scores"]["judge_stance"]["value"] = 1.0


def grade_in_results(raw: Raw, _: list[Raw]) -> None:
    raw["questions"][0]["answers"]["raft"]["scores"]["judge_stance"]["value"] = 1.0


def unscored(raw: Raw, _: list[Raw]) -> None:
    raw["questions"][0]["answers"]["baseline"]["scores"]["rouge_l"] = {"value": None, "why": "too hard"}


def suite_digest(raw: Raw, _: list[Raw]) -> None:
    raw["digest"] = "0" * 16


def data_digest(raw: Raw, _: list[Raw]) -> None:
    raw["data_digest"] = "better"


def setting(raw: Raw, _: list[Raw]) -> None:
    raw["suite"]["split"]["held_out_interviews"] = 99


def rubric(raw: Raw, _: list[Raw]) -> None:
    raw["metrics"]["judge_stance"]["rubric"] = "0" * 12


def mean(raw: Raw, _: list[Raw]) -> None:
    raw["arms"]["raft"]["metrics"]["rouge_l"]["mean"] += 0.01


def difference(raw: Raw, _: list[Raw]) -> None:
    raw["contrasts"][0]["low"] += 0.01


def skilled(raw: Raw, _: list[Raw]) -> None:
    raw["skill"][1]["low"] += 0.1


def passed(raw: Raw, _: list[Raw]) -> None:
    raw["exam"].append({**raw["exam"][0], "metric": "judge_stance", "axis": "content", "low": 0.5})


def axis(raw: Raw, _: list[Raw]) -> None:
    told = {"metric": "rouge_l", "axis": "coverage", "verdict": "REGRESSION", "sentence": "it is better than anybody"}
    raw["axes"] = [told]


def nothing_whole_and_an_axis(raw: Raw, samples: list[Raw]) -> None:
    axis(raw, samples)
    raw["verdict"] = "NOT MEASURED"


def errors(raw: Raw, samples: list[Raw]) -> None:
    samples[0]["error"] = "401 no such key"


def held_out(raw: Raw, _: list[Raw]) -> None:
    raw["held_out"]["questions"] = 240


def lower_is_better(raw: Raw, _: list[Raw]) -> None:
    raw["metrics"]["rouge_l"]["better"] = "lower"


def of_another_axis(raw: Raw, _: list[Raw]) -> None:
    raw["metrics"]["rouge_l"]["axis"] = "voice"


def verdict(raw: Raw, _: list[Raw]) -> None:
    raw["verdict"] = "INCONCLUSIVE" if raw["verdict"] == "PASS" else "PASS"


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (answer, "metric rouge_l: raft on marrack-0-q000"),
        (answer_in_results, "answers: raft on marrack-0-q000"),
        (score, "metric rouge_l: raft on marrack-0-q000"),
        (score, "statistics: means and intervals: rouge_l of raft"),
        (grade, "statistics: means and intervals: judge_stance of raft"),
        (grade_in_results, "scores: judge_stance of raft on marrack-0-q000"),
        (unscored, "metric rouge_l: baseline on marrack-0-q000"),
        (suite_digest, "digest of the suite: "),
        (data_digest, "digest of the suite: "),
        (setting, "digest of the suite: "),
        (rubric, "rubric of judge_stance: "),
        (mean, "statistics: means and intervals: rouge_l of raft: mean"),
        (difference, "statistics: comparisons: rouge_l: raft − baseline: low is"),
        (skilled, "statistics: skill: skill of raft on rouge_l: low"),
        (passed, "statistics: exams: exam of judge_stance"),
        (verdict, "statistics: verdict: the verdict is"),
        (axis, "statistics: verdict: REGRESSION on rouge_l"),
        (nothing_whole_and_an_axis, "statistics: verdict: REGRESSION on rouge_l"),
        (errors, "answers: baseline: 0 errors, the log has 1"),
        (held_out, "statistics: means and intervals: 240 questions are said to be held out, and 24 are there"),
        (lower_is_better, "meaning of rouge_l: "),
        (of_another_axis, "meaning of rouge_l: "),
    ],
)
def test_what_was_tampered_with_is_named(tmp_path: Path, tamper: Callable[[Raw, list[Raw]], None], named: str) -> None:
    """By somebody who mends the manifest as well."""
    files = files_of(packed(tmp_path))
    raw, samples = json.loads(files["results.json"]), logged(honest())
    tamper(raw, samples)
    files["results.json"] = json.dumps(raw).encode()
    files["samples.jsonl"] = "\n".join(map(json.dumps, samples)).encode()
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != "manifest.json"}
    files["manifest.json"] = json.dumps(manifest).encode()
    found = checked(written(tmp_path / "t.zip", files), tmp_path)
    told = [f"{c.what}: {c.told}" for c in found.checks if c.outcome == "differs"]
    assert any(t.startswith(named) for t in told), told
    assert not found.holds


def thrice() -> tuple[Raw, list[Raw]]:
    """The honest run, each question answered three times by the arms, every time in the same words."""
    raw = honest().model_dump(mode="json")
    raw["suite"]["answers"]["samples"] = 3
    settings = {k: v for k, v in raw["suite"].items() if k != "rubrics"}
    raw["digest"] = hashlib.sha256(f"{Suite(**settings).model_dump_json()}\0data".encode()).hexdigest()[:16]
    samples = [{**s, "epoch": n} for s in logged(honest()) for n in (1, 2, 3) if n == 1 or s["arm"] in ARMS]
    for arm in ARMS:
        for name, cell in raw["arms"][arm]["metrics"].items():
            rows = [[Scored(value=q.answers[arm].scores[name].value)] * 3 for q in honest().questions]
            cell["variance"] = spread(rows)
    return raw, samples


def packed_again(folder: Path, raw: Raw, samples: list[Raw] | None) -> Path:
    results = Results.model_validate(raw)
    save(results, folder / "run" / "results.json")
    kept = None if samples is None else [Sample(**s) for s in samples]
    write_bundle(folder / "run", results, kept, folder / "run.zip")
    return folder / "run.zip"


SPREAD = "statistics: spread of the answers to one question"


def test_several_answers_to_a_question_are_worked_out_again(tmp_path: Path) -> None:
    found = checked(packed_again(tmp_path, *thrice()), tmp_path)
    assert [(c.what, c.told) for c in found.checks if c.outcome == "differs"] == [] and found.holds
    told = {c.what: c.outcome for c in found.checks}
    assert told[SPREAD] == told["metric rouge_l"] == told["metric length_ratio"] == "matches"


def test_without_the_logs_several_answers_cannot_be_worked_out_again(tmp_path: Path) -> None:
    found = checked(packed_again(tmp_path, thrice()[0], None), tmp_path)
    told = {c.what: c.outcome for c in found.checks}
    assert told[SPREAD] == told["metric rouge_l"] == "not recomputed" and not found.holds


def fewer_answers(raw: Raw, samples: list[Raw]) -> None:
    samples.remove(next(s for s in samples if s["arm"] == "raft" and s["epoch"] == 3))


def third_answer(raw: Raw, samples: list[Raw]) -> None:
    next(s for s in samples if s["arm"] == "raft" and s["epoch"] == 3)["answer"] = " ".join(WORDS * 2)


def third_score(raw: Raw, samples: list[Raw]) -> None:
    next(s for s in samples if s["arm"] == "raft" and s["epoch"] == 3)["scores"]["rouge_l"]["value"] = 0.999


def less_dice(raw: Raw, samples: list[Raw]) -> None:
    raw["arms"]["raft"]["metrics"]["rouge_l"]["variance"]["question"] *= 2


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (fewer_answers, "answers: raft on marrack-0-q000: 2 answers in the log, the suite asks for 3"),
        (third_answer, "metric rouge_l: raft on marrack-0-q000"),
        (third_score, "scores: rouge_l of raft on marrack-0-q000"),
        (third_score, f"{SPREAD}: rouge_l of raft"),
        (less_dice, f"{SPREAD}: rouge_l of raft"),
    ],
)
def test_what_was_tampered_with_in_one_of_several_answers_is_named(
    tmp_path: Path, tamper: Callable[[Raw, list[Raw]], None], named: str
) -> None:
    raw, samples = thrice()
    tamper(raw, samples)
    found = checked(packed_again(tmp_path, raw, samples), tmp_path)
    told = [f"{c.what}: {c.told}" for c in found.checks if c.outcome == "differs"]
    assert any(t.startswith(named) for t in told) and not found.holds, told


def test_metrics_of_another_version_are_not_looked_up(tmp_path: Path) -> None:
    files = files_of(packed(tmp_path))
    files["results.json"] = files["results.json"].replace(b"judge_stance", b"judge_../../x")
    found = checked(written(tmp_path / "t.zip", files), tmp_path)
    assert not found.holds and any("judge_../../x" in c.told for c in found.checks)


@pytest.mark.parametrize("name", ["results.json", "samples.jsonl"])
def test_a_changed_file_is_named(tmp_path: Path, name: str) -> None:
    files = files_of(packed(tmp_path))
    files[name] += b"\n"
    found = checked(written(tmp_path / "t.zip", files), tmp_path)
    assert [c.told for c in found.checks if c.outcome == "differs"] == [f"{name} is not the file that was packed"]


@pytest.mark.parametrize("name", ["../results.json", "/etc/passwd", "a/../../x", "samples.jsonl\\..", "run.exe"])
def test_no_file_of_another_name_is_read(tmp_path: Path, name: str) -> None:
    files = files_of(packed(tmp_path / "in"))
    with pytest.raises(RaftError, match="not a bundle, it also holds"):
        read_bundle(written(tmp_path / "t.zip", {**files, name: b"x"}))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "t.zip"]


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = files_of(packed(tmp_path))
    monkeypatch.setattr(bundling, "MOST_BYTES", 10_000_000)
    bomb = written(tmp_path / "t.zip", {**files, "samples.jsonl": b"0" * 20_000_000})
    with pytest.raises(RaftError, match="unpacks to more than"):
        read_bundle(bomb)
    content = bomb.read_bytes()
    liar = content.replace((20_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    bomb.write_bytes(liar)
    with pytest.raises(RaftError):
        read_bundle(bomb)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("samples.jsonl", b"[" * 1000, r"samples\.jsonl: nested deeper than 60 levels"),
        ("results.json", b'{"training": [' + b"0," * 1_000_000 + b"0]}", r"results\.json: more than 1,000,000 values"),
        ("results.json", b'{"digest": 1e308}', r"results\.json: digest is 1e\+308, which is beyond"),
        ("manifest.json", b'{"format": NaN}', r"manifest\.json: format is nan, which is no number"),
        ("manifest.json", b"9" * 5000, r"manifest\.json: a number of 5,000 digits"),
        (
            "results.json",
            b'{"sentence": "' + b"x" * 200_001 + b'"}',
            r"results\.json: a text of more than 200,000 bytes",
        ),
        (
            "samples.jsonl",
            b'{"error": "' + b"x" * 200_001 + b'"}',
            r"samples\.jsonl: a text of more than 200,000 bytes",
        ),
        (
            "samples.jsonl",
            b'{"arm": "raft", "question": "q", "epoch": 1, "answer": "", "given": {"person": "x"}, "error": null, "scores": {}}',
            r"samples\.jsonl:1: given: text: is missing",
        ),
    ],
)
def test_what_is_too_much_in_a_bundle_is_refused_with_the_limit(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    files = files_of(packed(tmp_path))
    with pytest.raises(RaftError, match=says):
        read_bundle(written(tmp_path / "t.zip", {**files, name: content}))


def test_a_bundle_packed_in_another_way_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("results.json", b"{}")
    with pytest.raises(RaftError, match="in another way than deflate"):
        read_bundle(tmp_path / "t.zip")


def test_an_answer_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    files = files_of(packed(tmp_path))
    raw = json.loads(files["results.json"])
    next(iter(raw["questions"][0]["answers"].values()))["text"] = "word " * 5000
    files["results.json"] = json.dumps(raw).encode()
    with pytest.raises(RaftError, match="an answer of 25,000 characters"):
        read_bundle(written(tmp_path / "t.zip", files))


@pytest.mark.parametrize("broken", [b"", b"PK\x05\x06" + b"\0" * 18, b"not an archive"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "t.zip").write_bytes(broken)
    with pytest.raises(RaftError, match="bundle"):
        read_bundle(tmp_path / "t.zip")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("results.json", b"{}"),
        ("results.json", b"[" * 100_000),
        ("manifest.json", b"[]"),
        ("samples.jsonl", b"\xff"),
        ("samples.jsonl", b"{}"),
    ],
)
def test_damaged_bundles_give_one_message(tmp_path: Path, name: str, content: bytes) -> None:
    files = files_of(packed(tmp_path))
    with pytest.raises(RaftError, match=r"damaged|another version"):
        read_bundle(written(tmp_path / "t.zip", {**files, name: content}))


def test_a_file_twice_is_refused(tmp_path: Path) -> None:
    files = files_of(packed(tmp_path))
    made = io.BytesIO((tmp_path / "run.zip").read_bytes())
    with zipfile.ZipFile(made, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("results.json", files["results.json"])
    (tmp_path / "t.zip").write_bytes(made.getvalue())
    with pytest.raises(RaftError, match="a file twice"):
        read_bundle(tmp_path / "t.zip")


def test_from_a_run_to_a_verified_row(tmp_path: Path, ratf: Command) -> None:
    save(honest(), tmp_path / "run" / "results.json")
    done = ratf("bundle", tmp_path / "run")
    made = tmp_path / "run.ratf.zip"
    assert done.returncode == 0 and is_bundle(made) and "no logs" in done.stderr
    record = tmp_path / "record.json"
    done = ratf("verify", made, "--record", record)
    assert done.returncode == 0 and "\nVERIFIED: nothing differs" in done.stdout, done.stdout
    done = ratf("leaderboard", made, "--verified", record, "--out", tmp_path / "site")
    assert done.returncode == 0 and "1 run verified" in done.stdout, done.stderr
    assert "✓ verified" in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_a_record_that_something_differs_marks_nothing(tmp_path: Path, ratf: Command) -> None:
    raw = json.loads(honest().model_dump_json())
    mean(raw, [])
    save(Results.model_validate(raw), tmp_path / "run" / "results.json")
    ratf("bundle", tmp_path / "run")
    record = tmp_path / "record.json"
    done = ratf("verify", tmp_path / "run.ratf.zip", "--record", record)
    assert done.returncode == 1 and "NOT VERIFIED: 1 of" in done.stdout
    done = ratf("leaderboard", tmp_path / "run", "--verified", record, "--out", tmp_path / "site")
    assert done.returncode == 2 and "does not say that its run could be verified" in done.stderr
    assert not (tmp_path / "site").exists()
