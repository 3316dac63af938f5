"""People who speak no English, or write without spaces: what is counted, found, scored, and said of what cannot be."""

import asyncio
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from other_scripts import CHINESE, HINDI, Language, write
from places import REPOSITORY
from rouge_score.rouge_scorer import RougeScorer
from typer.testing import CliRunner

from raft.cli import app
from raft.memory.chunks import chunk
from raft.memory.rephrase import Cue, Outcome, extractive, judged
from raft.people.leaks import covered, is_read, stored, writings
from raft.people.person import About, exchanges, load_documents, load_interviews, load_person
from raft.types import Chunk, Document, Exchange, Vectors
from ratf.pages.redact import Mask
from ratf.reporting.slices import form_of
from ratf.scores.measures import TextMeasures, runs
from ratf.statistics.style import Spoken, StyleIdentity, normalise

CASES = Path(os.environ.get("RATF_TEST_DATA", REPOSITORY.parent / "shared" / "data")).parent / "cases"
LANGUAGES = pytest.mark.parametrize("language", [CHINESE, HINDI], ids=["chinese", "hindi"])
TEXTS = {
    "russian": "Запруда держит воду, и вода держит город. Отец научил меня записывать уровень каждое утро, и я записываю.",
    "hindi": "बाँध पानी को रोकता है और पानी गाँव को बचाता है। पिता ने मुझे हर सुबह नापना सिखाया था और मैं नापता हूँ।",
    "arabic": "السد يحفظ الماء والماء يحفظ البلدة. علمني أبي أن أكتب المنسوب كل صباح وما زلت أكتبه حتى اليوم كما علمني.",
    "chinese": "渡口守住了水，水守住了镇子。父亲教我每天清早记下水位，我一天也没有落下，直到今天还是这样记着。",
    "japanese": "堰は水をとどめ、水は町をまもる。父は毎朝水位を書きとめることを教えてくれた。今でもそうしている。",
    "thai": "ฝายกั้นน้ำไว้และน้ำก็เลี้ยงเมืองพ่อสอนให้จดระดับน้ำทุกเช้าและทุกวันนี้ก็ยังจดอยู่เสมอไม่เคยขาดเลยสักวันเดียว",
    "korean": "보는 물을 지키고 물은 마을을 지킨다. 아버지는 매일 아침 수위를 적으라고 하셨고 나는 지금도 적는다.",
    "greek": "Το φράγμα κρατά το νερό και το νερό κρατά την πόλη. Ο πατέρας μου με έμαθε να γράφω τη στάθμη κάθε πρωί.",
}  # fmt: skip
rouges = TextMeasures("local/all-minilm-l6-v2").rouges
EACH = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())


def exchange(answer: str, question: str = "Why?") -> Exchange:
    return Exchange("i", 1, None, question, answer)


def documents(*texts: str) -> list[Document]:
    return [Document(f"w{n}", "t", None, "s", text) for n, text in enumerate(texts, start=1)]


@EACH
def test_a_text_is_itself_to_rouge_and_another_is_not(text: str) -> None:
    other = next(t for t in TEXTS.values() if t != text)
    same, different = rouges([(text, text), (text, other)])
    assert same == {"rouge1": 1.0, "rouge2": 1.0, "rougeL": 1.0}
    assert max(different.values()) < 0.2


def test_english_rouge_is_rouge_scores_own() -> None:
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    for a, b in [
        ("The weirs were holding 14 pools.", "A weir holds a pool's 1,4 water"),
        ("It’s “held” — 1½ to 2 percent…", "It's held 1 percent"),
        ("", "x"),
    ]:
        assert rouges([(a, b)])[0] == {kind: s.fmeasure for kind, s in scorer.score(b, a).items()}
    assert rouges([("El año pasado bajó", "El año pasado bajo")])[0]["rouge1"] == 0.75


@EACH
def test_a_copied_answer_is_found_and_counted(text: str) -> None:
    answer = f"{text} {text[::-1]}"
    (found,) = covered([exchange(answer)], writings(documents("Nothing here.", f"Before. {answer} After.")))
    assert (found.coverage, found.document, found.longest_run) == (1.0, "w2", found.words)
    assert covered([exchange(answer)], writings(documents(*(t for t in TEXTS.values() if t != text)))) == []
    assert set(runs(answer)) <= set(runs(f"x {answer} y")) and runs(answer)


def test_a_copy_in_another_spelling_is_found() -> None:
    typed = TEXTS["chinese"].replace("，", ",").replace("。", " ")
    (found,) = covered([exchange(TEXTS["chinese"])], writings(documents(typed)))
    assert found.coverage == 1.0
    pointed = TEXTS["arabic"].replace("الماء", "المَاءُ")
    assert covered([exchange(TEXTS["arabic"])], writings(documents(pointed)))[0].coverage == 1.0


def test_a_question_in_the_store_is_found_without_spaces() -> None:
    passage = Chunk("c", "d", "t", "s", None, 0, 0, "问：渡口有什么用？答：守水。")
    assert stored([exchange("x", "渡口有什么用？")], [passage]) == []
    whole = Chunk("c", "d", "t", "s", None, 0, 0, "渡口有什么用？")
    assert len(stored([exchange("x", "渡口有什么用？")], [whole])) == 1


@pytest.mark.parametrize("text", ["\ue000\ue001 " * 60, "?" * 200, "\ufffd" * 150, "x" * 300, "☂☃" * 60])
def test_what_is_not_in_words_is_not_read(text: str) -> None:
    assert not is_read(text) and all(map(is_read, TEXTS.values())) and is_read("…")


@LANGUAGES
def test_leaks_are_found_and_what_is_unread_is_never_clean(tmp_path: Path, language: Language) -> None:
    write(tmp_path, language)
    folder = tmp_path / "person"

    def leaks() -> tuple[int, str]:
        run = CliRunner().invoke(app, ["leaks", str(folder)])
        return run.exit_code, run.stdout

    assert leaks()[0] == 0 and "clean: " in leaks()[1] and "18 answers" in leaks()[1]
    (folder / "writings.jsonl").write_text(
        (folder / "writings.jsonl").read_text("utf-8")
        + json.dumps(
            {"doc_id": "odd", "title": "t", "date": "2001-01-01", "source": "s", "text": "x " + "\ue012\ue345" * 50}
        )
        + "\n",
        "utf-8",
    )
    code, said = leaks()
    assert code == 2 and "not measured: 1 texts are not in words that can be read (odd)" in said
    answer = next(e.answer for i in load_interviews(folder) for e in exchanges(i))
    record = {"doc_id": "copy", "title": "t", "date": "2001-01-01", "source": "s", "text": f"前 {answer} 后"}
    with (folder / "writings.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    code, said = leaks()
    assert code == 1 and "1.00" in said and "copy" in said


def test_short_answers_alone_are_not_measured(tmp_path: Path) -> None:
    write(tmp_path, CHINESE)
    lines = [json.loads(line) for line in (tmp_path / "person/interviews.jsonl").read_text("utf-8").splitlines()]
    for record in lines:
        record["turns"] = [t | {"text": "嗯。"} if t["role"] == "target" else t for t in record["turns"]]
    (tmp_path / "person/interviews.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    run = CliRunner().invoke(app, ["leaks", str(tmp_path / "person")])
    assert run.exit_code == 2 and "not measured: none of 18 answers has 20 words or more" in run.stdout
    assert "clean" not in run.stdout


@LANGUAGES
def test_people_are_read_held_out_and_planned(tmp_path: Path, language: Language) -> None:
    write(tmp_path, language)
    person = load_person(tmp_path / "person")
    assert len(person.exchanges) == 18 and not any(person.left_out.values())
    made = CliRunner().invoke(app, ["ft:gen", str(tmp_path / "person"), "--generic", "--held-out", "1"])
    assert made.exit_code == 0 and "15 exchanges of 5 interviews" in made.stdout, made.output


@LANGUAGES
def test_style_sits_its_exam_and_tells_two_people_apart(tmp_path: Path, language: Language) -> None:
    write(tmp_path, language, interviews=8)
    spoken = [
        Spoken(e.answer, f"{who}/{e.interview_id}", who == "person")
        for who in ("person", "impostor")
        for e in load_person(tmp_path / who).exchanges
    ]
    model = StyleIdentity(spoken)
    found = np.array(model.probabilities([(s.text, s.group) for s in spoken]))
    mine = np.array([s.is_person for s in spoken])
    assert found[mine].mean() > found[~mine].mean() + 0.3
    assert all(e.weight for e in model.evidence()) and not any(e.kind == "word" for e in model.evidence())


def test_style_reads_as_many_words_without_spaces() -> None:
    assert len(normalise("渡口守住了水，" * 200)) == 260
    assert normalise("It's the WEIR, “held”.") == "it's the weir held" and normalise("पानी, रुकता।") == "पानी रुकता"


class Embeds:
    """Texts about ferries point one way, all others another."""

    name = "ferries"

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([[1, 0] if "渡" in t or "नाव" in t else [0, 1] for t in texts], dtype=np.float32)


@pytest.mark.parametrize(("question", "passage", "memory"), [
    ("渡口呢？", "今天下雨。渡船不开。磨坊关门。", "渡船不开。"),
    ("नाव?", "आज बारिश है। नाव नहीं चलेगी। चक्की बंद है।", "नाव नहीं चलेगी।"),
])  # fmt: skip
def test_a_memory_is_one_sentence(question: str, passage: str, memory: str) -> None:
    (verdict,) = asyncio.run(extractive(Embeds(), sentences=1)([Cue(question, (), passage)]))
    assert verdict.text == memory


def test_evidence_without_spaces_is_evidence() -> None:
    passage = "今天下雨。渡船不开，明天再说。"
    for evidence, outcome in (
        ("渡船不开，明天", Outcome.USEFUL),
        ("渡船", Outcome.REFUSED),
        ("磨坊不开，明天", Outcome.REFUSED),
    ):
        reply = json.dumps({"useful": True, "memory": "我开船。", "evidence": evidence})
        assert judged(reply, passage).outcome is outcome


def test_passages_are_bounded_where_the_tokenizer_knows_nothing(models: Path) -> None:
    tokenizer = next(models.glob("all-minilm-l6-v2-*")) / "tokenizer.json"
    for text in TEXTS.values():
        pieces = list(chunk([Document("d", "t", None, "s", f"{text}\n" * 12)], tokenizer))
        assert len(pieces) > 1 and max(len(p.text) for p in pieces) < 700


def test_redaction_hides_runs_of_any_script() -> None:
    for text in TEXTS.values():
        hidden = Mask([text]).masked(f"x {text} y")
        assert "words left out]" in hidden and len(hidden) < 60


def test_a_question_mark_of_any_script() -> None:
    assert {form_of(q) for q in ("渡口呢？", "لماذا؟", "Как?")} == {"other form"}


@pytest.mark.parametrize(
    ("introduction", "begins"),
    [
        ("a keeper of weirs", "You are Mara Linden, a keeper of weirs."),
        ("Keeper of weirs —", "You are Mara Linden. Keeper of weirs."),
        ("You keep weirs.\n", "You are Mara Linden. You keep weirs."),
        ("守堰坝的人", "You are Mara Linden. 守堰坝的人。"),
        ("बाँध की रखवाली।", "You are Mara Linden. बाँध की रखवाली।"),
        ('You said "No!"', 'You are Mara Linden. You said "No!"'),
    ],
)
def test_an_introduction_runs_into_nothing(introduction: str, begins: str) -> None:
    assert About(name="Mara Linden", introduction=introduction).introduced == begins


@pytest.fixture
def case(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A writable copy of a case that once went wrong, where they are at hand."""
    found = next(CASES.glob(f"{request.param}-*"), None) if CASES.is_dir() else None
    if found is None:
        pytest.skip(f"no case {request.param} in {CASES}")
    shutil.copytree(found, tmp_path / "case", copy_function=shutil.copyfile)
    for path in (tmp_path / "case", *(tmp_path / "case").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "case"


@pytest.mark.parametrize("case", ["60"], indirect=True)
def test_case_of_a_chinese_person(case: Path, ratf: Command) -> None:
    run = CliRunner()
    assert "32 usable exchanges" in run.invoke(app, ["check", str(case / "mara-zh")]).stdout
    found = run.invoke(app, ["leaks", str(case / "leak-zh"), "--json"])
    (leak,) = json.loads(found.stdout)["answers"]
    assert found.exit_code == 1 and (leak["interview"], leak["document"], leak["coverage"]) == ("i1", "w1", 1.0)
    plan = ratf("plan", case / "suite-zh.yaml", "--data", case, "--out", case / "out")
    assert plan.returncode == 0 and "9 questions of 3 interviews" in plan.stdout, plan.stderr


@pytest.mark.parametrize("case", ["61"], indirect=True)
def test_case_of_rouge(case: Path) -> None:
    texts = [d.text for d in load_documents(case / "mara-hi")]
    assert all(set(found.values()) == {1.0} for found in rouges([(t, t) for t in texts]))


@pytest.mark.parametrize("case", ["84"], indirect=True)
def test_case_of_an_introduction(case: Path) -> None:
    run = CliRunner()
    shutil.rmtree(case / "ft/work")  # made with somebody's service
    made = run.invoke(app, ["ft:gen", str(case / "ft"), "--held-out", "2"])
    assert made.exit_code == 0, made.output
    first = (case / "ft/work/finetune.openai.jsonl").read_text("utf-8").splitlines()[0]
    assert "You are Mara Linden, a keeper of weirs. Answer the interviewer" in first
    assert "warning: person.yaml: the introduction" in run.invoke(app, ["check", str(case / "ft")]).stdout


SUITE = """\
name: ferry
person: person
impostors: [impostor]
split: {held_out_interviews: 2, questions: 4}
arms: [baseline, rag_only]
memories: {k: 1, rephraser: extractive}
answers: {history: none, context_tokens: 256, max_words: 30, max_tokens: 8}
metrics: [rouge_l, embedding_cosine, style_identity, copying, length_ratio]
models: {base: local/BASE, embedder: local/all-minilm-l6-v2}
contamination: false
primary: {metric: rouge_l, better: rag_only, than: baseline}
seed: 1
"""


@pytest.mark.slow
@LANGUAGES
def test_a_whole_run_reaches_an_honest_page(
    ratf: Command, cache: Path, tiny_base: Path, tmp_path: Path, language: Language
) -> None:
    write(tmp_path / "data", language)
    suite = tmp_path / "data" / "ferry.yaml"
    suite.write_text(SUITE.replace("BASE", str(tiny_base)), "utf-8")
    run = ratf("run", suite, "--out", tmp_path / "out")
    assert (tmp_path / "out/report.html").is_file(), run.stderr
    results = json.loads((tmp_path / "out/results.json").read_text("utf-8"))
    page = (tmp_path / "out/report.html").read_text("utf-8")
    real = results["arms"]["real"]["metrics"]
    assert real["rouge_l"]["mean"] == 1.0 and real["length_ratio"]["mean"] == 1.0
    assert real["copying"]["n"] == 4 and results["leaks"]["found"] == []
    assert "does not tell this person's answers apart" in results["leaks"]["checked"]
    assert language.person.name in page and "Not measured is whether the same stands there in other words" in page
    exams = {e["metric"]: e for e in results["exam"]}
    voice = exams["style_identity"]  # these answers are short, and the voice's list of words is English
    assert voice["n"] == 0 and not voice["admitted"] and "not examined: no question has scores" in voice["reason"]
    assert "fewer than 50 words" in voice["reason"] or "English" in voice["reason"], voice["reason"]
    # two interviews are too few for an exam: the page says so, and gives no verdict
    assert results["verdict"] == "NOT MEASURED" and run.returncode == 2
    assert "not admitted on this person" in results["sentence"] and results["sentence"] in run.stdout
    assert "NOT MEASURED" in page
