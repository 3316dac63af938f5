import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import planted
import pytest
from planted import make

from raft.errors import RaftError
from raft.files import write_made
from ratf.results import lazy as stored
from ratf.results.folder import open_run
from ratf.results.lazy import load_lazily
from ratf.results.results import (
    Answer,
    ArmResult,
    Cell,
    Contrast,
    Question,
    Results,
    Scored,
    Tuned,
    Verdict,
    dumps,
    load,
    save,
    schema,
)
from ratf.results.snapshot import load_baseline


def results(**changes: Any) -> Results:
    """A run of one question, with one score that could not be given."""
    cell = Cell(mean=0.5, low=None, high=None, n=1, interviews=1, unscored=0)
    answer = Answer(
        text="Ja, „natürlich“ </script>\u2028🐟",
        memories=[{"text": "once", "similarity": 0.1 + 0.2}],
        source="",
        scores={"style_identity": Scored(value=0.5), "copying": Scored(value=None, why="too short to score")},
    )
    made: dict[str, Any] = {
        "suite": {
            "name": "tiny",
            "seed": 0,
            "models": {"base": "local/b"},
            "primary": {"metric": "style_identity", "better": "raft", "than": "baseline"},
        },
        "digest": "d",
        "data_digest": "dd",
        "person": {"key": "marrack", "name": "Tove Marrack"},
        "impostors": {"pell": "Conrad Pell"},
        "fictional": True,
        "held_out": {"questions": 1, "from": None, "interviews": []},
        "training": {"exchanges": 8, "earlier_exchanges": 8, "documents": 1, "left_out": {}},
        "metrics": {
            "style_identity": {"family": "style", "words": "voice", "better": "higher", "top": 1},
            "copying": {"family": "copying", "words": "copied", "better": None, "top": 1},
        },
        "arms": {
            arm: ArmResult(kind="arm", words="full", model="m", errors=0, metrics={"style_identity": cell})
            for arm in ("raft", "baseline")
        },
        "contrasts": [
            Contrast(
                metric="style_identity",
                family="style",
                a="raft",
                b="baseline",
                difference=0.1 + 0.2,
                low=None,
                high=None,
                p=None,
                p_holm=None,
                smallest_detectable=None,
                n_questions=1,
                n_interviews=1,
            )
        ],
        "verdict": "NOT MEASURED",
        "sentence": "a single interview gives no interval",
        "tuned": [Tuned(arm="raft", digest="t", samples=8, losses=[3.5, 1 / 3])],
        "notes": [],
        "questions": [
            Question(
                id="i-q001",
                interview_id="i",
                interview="I",
                date=None,
                question="Why?",
                real="Because.",
                answers={"raft": answer},
            )
        ],
        "environment": {"python": "3", "ratf": "0"},
        "times": {"finished": "2026-01-01 00:00 UTC", "total": 1.5},
    }
    return Results(**{**made, **changes})


def test_what_is_saved_is_loaded_again(tmp_path: Path) -> None:
    save(results(), tmp_path / "run" / "results.json")
    assert load(tmp_path / "run" / "results.json") == results()


def test_the_same_results_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(results(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_missing_number_is_null(tmp_path: Path) -> None:
    save(results(), tmp_path / "results.json")
    raw = json.loads((tmp_path / "results.json").read_text("utf-8"), parse_constant=lambda name: pytest.fail(name))
    assert raw["questions"][0]["answers"]["raft"]["scores"]["copying"] == {
        "value": None,
        "why": "too short to score",
        "votes": [],
        "against": {},
    }
    assert raw["contrasts"][0]["low"] is None


@pytest.mark.parametrize(
    ("verdict", "code"), [("PASS", 0), ("REGRESSION", 1), ("INCONCLUSIVE", 2), ("NOT MEASURED", 2)]
)
def test_exit_codes(verdict: Verdict, code: int) -> None:
    assert results(verdict=verdict).exit_code == code


def test_a_file_that_is_not_there_is_told_with_what_writes_it(tmp_path: Path) -> None:
    with pytest.raises(RaftError, match=r"nothing\.json: no such file; `ratf run` writes it"):
        load(tmp_path / "nothing.json")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_score_that_is_no_number_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    made = make({"raft": {"rouge_l": [0.25]}, "baseline": {"rouge_l": [0.5]}}, ["NaN Infinity"])
    save(made, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == made, "such words in a text do no harm"
    text = (tmp_path / "results.json").read_text("utf-8").replace('"value": 0.25', f'"value": {number}')
    (tmp_path / "results.json").write_text(text, "utf-8")
    for read in (load, load_lazily, load_baseline):
        with pytest.raises(RaftError, match=r"questions\[0\]\.answers\.raft\.scores\.rouge_l\.value is -?(nan|inf)"):
            read(tmp_path / "results.json")
    monkeypatch.setattr(stored, "LARGE", 0)
    light = load_lazily(tmp_path / "results.json")
    with pytest.raises(RaftError, match=r"answers\.raft\.scores\.rouge_l\.value is -?(nan|inf)"):
        list(light.questions)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", "words", '{"format": 1}', "\x00", '{"digest": NaN}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text, "utf-8")
    with pytest.raises(RaftError, match=r"results\.json: not the results of a run of this version"):
        load(tmp_path / "results.json")


def test_a_file_that_is_not_even_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes(b"\xff\xfe\x00PK")
    with pytest.raises(RaftError, match="not the results"):
        load(tmp_path / "results.json")


@pytest.mark.parametrize("place", [(), ("arms", "raft"), ("contrasts", 0), ("questions", 0, "answers", "raft")])
def test_unknown_keys_are_refused_at_any_depth(tmp_path: Path, place: tuple[str | int, ...]) -> None:
    raw = json.loads(results().model_dump_json())
    part = raw
    for step in place:
        part = part[step]
    part["of_the_future"] = 1
    (tmp_path / "results.json").write_text(json.dumps(raw), "utf-8")
    with pytest.raises(RaftError, match="not the results"):
        load(tmp_path / "results.json")


def test_scores_are_a_tidy_table() -> None:
    made = planted.make(
        {"raft": {"style_identity": [0.5, float("nan")]}, "real": {"style_identity": [0.75, 1.0]}}, ["i", "j"]
    )
    table = made.scores()
    assert list(table) == ["person", "arm", "control", "question", "interview", "metric", "value", "admitted"]
    assert [str(kind) for kind in table.dtypes[["control", "value", "admitted"]]] == ["bool", "float64", "boolean"]
    first = table.iloc[0].to_dict()
    assert first == {
        "person": "marrack", "arm": "raft", "control": False, "question": "i-q000", "interview": "i",
        "metric": "style_identity", "value": 0.5, "admitted": True,
    }  # fmt: skip
    assert table.groupby("arm")["value"].mean().to_dict() == {"raft": 0.5, "real": 0.875}
    assert table["value"].isna().sum() == 1
    no_exam = made.model_copy(update={"exam": []}).scores()
    assert no_exam["admitted"].isna().all()
    assert list(made.model_copy(update={"questions": []}).scores()) == list(table)


def test_contrasts_are_a_tidy_table() -> None:
    scores = {"raft": {"style_identity": [0.5, 0.7, 0.6]}, "baseline": {"style_identity": [0.25, 0.3, 0.2]}}
    made = planted.make(scores, ["i", "j", "k"])
    (row,) = made.contrasts().to_dict("records")
    (told,) = made.comparisons
    assert (row["a"], row["b"], row["difference"]) == ("raft", "baseline", told.difference)
    assert (row["low"], row["high"], row["n_interviews"], row["admitted"]) == (told.low, told.high, 3, True)
    assert list(row) == ["person", *Contrast.model_fields, "admitted"]
    empty = results(contrasts=[]).contrasts()
    assert list(empty) == list(row) and str(empty["difference"].dtype) == "float64"
    assert results().contrasts()["low"].isna().all()


def test_the_file_says_contrasts() -> None:
    raw = json.loads(dumps(results()))
    assert "comparisons" not in raw and len(raw["contrasts"]) == 1
    assert "contrasts" in json.loads(schema())["properties"]


HOSTILE = "</svg><script>alert(1)</script>\u202e"


def test_results_show_themselves_in_a_notebook() -> None:
    scores = {arm: {"style_identity": list(values)} for arm, values in (("raft", (0.5, 0.7)), ("real", (0.9, 0.8)))}
    made = planted.make(scores, ["i", "j"], sentence=HOSTILE, person={"key": "m", "name": HOSTILE}, replayed=HOSTILE)
    arms = {**made.arms, HOSTILE: made.arms["raft"]}
    page = made.model_copy(update={"arms": arms})._repr_html_()
    assert "<script" not in page and "\u202e" not in page and page.count("</svg>") == 1
    root = ElementTree.fromstring(page)
    assert [c.tag for c in root.iter() if c.tag == "circle"] == ["circle"] * 3
    said = " ".join(root.itertext())
    assert "INCONCLUSIVE" in said and "0.600 [" in said and "Replayed: no model was asked" in said
    assert "Not admitted" not in said
    exams = [e.model_copy(update={"admitted": False, "reason": "its AUC is low"}) for e in made.exam]
    assert "Not admitted: its AUC is low" in made.model_copy(update={"exam": exams})._repr_html_()
    assert "<svg" not in made.model_copy(update={"arms": {}})._repr_html_()


def test_a_result_prints_one_line_and_no_text() -> None:
    assert repr(results()) == str(results()) == "<Results of tiny, marrack, 1 questions: NOT MEASURED>"


def test_a_clock_that_went_back_is_no_reason_to_refuse(tmp_path: Path) -> None:
    made = results()
    save(made, tmp_path / "results.json")
    write_made(tmp_path / "times.json", made.digest, {"prepare": 1.0})
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "2999-01-02T00-00-00+00-00_interview_x.eval").write_bytes(b"")
    assert open_run(tmp_path) == made, "a log of the year 2999 began when the clock was wrong"
    for damage in (b"", b"[]", b'{"digest": 7}'):
        (tmp_path / "times.json").write_bytes(damage)
        assert open_run(tmp_path) == made
    write_made(tmp_path / "times.json", "of another suite", {})
    with pytest.raises(RaftError, match="a later run was stopped halfway, one of another suite or other data"):
        open_run(tmp_path)
