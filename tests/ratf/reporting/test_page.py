"""The page, from results made by hand: bytes, hostile text, and a look in a browser."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from browser import opened, overflow
from planted import make
from playwright.sync_api import Browser

from raft.errors import RaftError
from ratf.content import content
from ratf.pages.text import interval, p_value, plus, value
from ratf.reporting.page import SECTIONS, render
from ratf.reporting.plots import plot
from ratf.reporting.top.trust import TrustCheck, checks, unmeasured
from ratf.results.exams import (
    Agreement,
    Contamination,
    Delta,
    Dose,
    Evidence,
    Exam,
    ForcedChoice,
    GraderExam,
    JudgeFacts,
    Judging,
    Masked,
    Order,
    Share,
    Strangers,
    Strength,
    StyleFacts,
    VoiceFacts,
)
from ratf.results.results import (
    Answer,
    ArmResult,
    Cell,
    Contrast,
    Example,
    Filtered,
    Leaks,
    Question,
    Results,
    Retrieval,
    Scored,
    Skill,
    Spent,
    Tuned,
    load,
    save,
)
from ratf.suite.suite import load_suite

HOSTILE = (
    "</script><script>document.title='owned'</script> <img src=x onerror=alert(1)> \u202eltr\x07 " + "word " * 2000
)


def exam(metric: str, admitted: bool) -> Exam:
    order = Order(higher="real", lower="impostor_near", must=True, auc=0.9, low=0.8, high=0.95, shows="holds")
    dose = Dose(shares=[0, 0.5, 1], means=[0.9, 0.5, 0.1], monotone=True, slope=-0.8, low=-0.9, high=-0.7, n=12)
    return Exam(
        metric=metric, axis="identity", auc=0.9 if admitted else None, low=0.8 if admitted else None,
        high=0.95 if admitted else None, admitted=admitted, reason="because" if admitted else HOSTILE[:60], bar=0.6, n=12,
        interviews=6, unscored=0, orders=[order] if admitted else [], dose=dose if admitted else None,
    )  # fmt: skip


SHARE = Share(k=31, n=40, share=0.775, low=0.62, high=0.88)
JUDGE = JudgeFacts(
    rubric="stance", version=1, digest="d", form="choice", comparisons=40, calls=88, tokens=9, grades=False,
    graders=[
        GraderExam(
            grader=HOSTILE[:80], admitted=False, reason="coin", faults=["coin"], auc=0.5, low=0.4, high=0.6,
            sensitivity=SHARE, specificity=None, order_flips=SHARE, first_named=0.7, self_consistency=SHARE,
            length_correlation=None, obeyed=SHARE, unreadable=SHARE, refused=0, raw=[],
        )
    ],
)  # fmt: skip
JUDGING = Judging(
    planned={}, spent={}, saved={}, anyway=False,
    agreement=[Agreement(metric="judge_voice", graders=["a/b", "c/d"], alpha=0.41, n=36)],
    forced_choice=[
        ForcedChoice(metric="judge_forced_choice_chosen", arm="raft", share=0.61, low=0.55, high=0.67, n=36, margin=0.2,
                     power=0.8, says="caricature")
    ],
    pairwise=[Strength(metric="judge_pairwise_won", arm="raft", strength=1.2, low=0.9, high=1.5, won={"baseline": 0.7})],
    masked=[Masked(metric="judge_voice", arm="raft", difference=0.1, low=0.02, high=0.18, n=36)],
)  # fmt: skip


def made() -> Results:
    suite = load_suite(content("benchmarks", "demo.yaml")).model_dump(mode="json")
    suite["primary"] = {"metric": "style_identity", "better": "raft", "than": "baseline"}
    arms = {"baseline": "arm", "rag_only": "arm", "raft": "arm", "real": "control", "same_near": "control"}
    arms["impostor_near"] = "control"
    scored = {"style_identity": Scored(value=0.5), "judge_stance": Scored(value=None, why=HOSTILE)}
    cell = Cell(mean=0.5, low=0.4, high=0.6, n=12, interviews=6, unscored=0)
    nothing = Cell(mean=None, low=None, high=None, n=0, interviews=0, unscored=12)
    memory = {"text": HOSTILE, "title": "T", "date": "2011-01-01", "source": "S"}
    contrast = Contrast(
        metric="style_identity", family="style", a="raft", b="baseline", difference=0.14, low=0.09, high=0.19, p=0.01,
        p_holm=0.02, smallest_detectable=0.05, n_questions=12, n_interviews=6,
    )  # fmt: skip
    return Results(
        suite=suite,
        digest="d" * 16,
        data_digest="e" * 16,
        person={"key": "p", "name": "Pat <b>Doe</b>"},
        impostors={"q": "Quinn"},
        fictional=True,
        held_out={
            "questions": 12,
            "from": "2022-02-12",
            "interviews": [{"id": "i", "title": "I", "date": "d", "source": "s", "n": 12}],
        },
        training={"exchanges": 9, "earlier_exchanges": 9, "documents": 3, "left_out": {"answers under 20 words": 1}},
        metrics={
            "style_identity": {"family": "style", "words": "style", "better": "higher", "top": 1},
            "judge_stance": {"family": "judge", "words": "view", "better": "higher", "top": 1},
        },
        arms={
            name: ArmResult(
                kind=kind,
                words=name,
                model="m",
                errors=0,  # type: ignore[arg-type]
                metrics={"style_identity": cell, "judge_stance": nothing},
            )
            for name, kind in arms.items()
        },
        contrasts=[contrast],
        verdict="PASS",
        sentence="raft beats baseline: +0.14 [0.09, 0.19] on style_identity, 12 paired questions in 6 interviews",
        tuned=[Tuned(arm="raft", digest="abc", samples=9, losses=[3.0, 2.5, 2.0])],
        notes=[HOSTILE[:60]],
        questions=[
            Question(
                id=f"i-q{n:03d}",
                interview_id="i",
                interview="I",
                date="2022-02-12",
                question=HOSTILE,
                real=HOSTILE,
                answers={
                    name: Answer(text=HOSTILE if n else "", memories=[memory], source="", scores=scored)
                    for name in arms
                },
            )
            for n in range(3)
        ],
        exam=[exam("style_identity", True), exam("judge_stance", False).model_copy(update={"judge": JUDGE})],
        judging=JUDGING,
        skill=[
            Skill(
                metric="style_identity",
                arm="raft",
                skill=0.81,
                low=0.7,
                high=0.93,
                floor=0.1,
                ceiling=0.9,
                n=12,
                interviews=6,
            ),
            Skill(
                metric="style_identity",
                arm="baseline",
                skill=None,
                low=None,
                high=None,
                floor=0.1,
                ceiling=0.9,
                n=12,
                interviews=6,
                reason=HOSTILE[:60],
            ),
        ],
        style=StyleFacts(
            evidence=[Evidence(kind="word", text=HOSTILE[:60], weight=2.0, person=0.5, others=0.1)],
            delta=[
                Delta(
                    arm="raft", words=2000, burrows=1.1, burrows_spread=(1.0, 1.2), cosine=0.7, cosine_spread=(0.6, 0.8)
                ),
                Delta(arm="baseline", words=9, burrows=None, burrows_spread=None, cosine=None, cosine_spread=None),
            ],
            budget=1000,
        ),
        environment={"ratf": "0"},
        times={"finished": "2026-01-01 00:00 UTC", "seconds": {}, "total": 60.0},
    )


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    save(made(), tmp_path / "results.json")
    assert render(made()) == render(load(tmp_path / "results.json"))


def test_other_files_are_not_taken_for_results(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"format": 1}')
    with pytest.raises(RaftError, match="not the results"):
        load(tmp_path / "results.json")


def test_hostile_text_stays_text() -> None:
    page = render(made())
    assert page.count("<script") == 3
    assert "<img" not in page and "<b>Doe" not in page
    assert "\u202e" not in page and "\x07" not in page


def test_the_page_says_either_way_what_was_found() -> None:
    assert "Not checked for leaks" in render(made())
    clean = Leaks(checked="12 held-out answers against 3 writings", found=[])
    page = render(made().model_copy(update={"leaks": clean}))
    assert "No leak found: 12 held-out answers against 3 writings." in page and "leaks allowed" not in page
    leak = {"kind": "answer", "held_out": "i", "found_in": "d", "amount": 1.0, "words": "100 % of <b>it</b>"}
    page = render(made().model_copy(update={"leaks": Leaks(checked="all", found=[leak])}))  # type: ignore[list-item]
    assert "leaks allowed" in page and "1 leak, allowed by --allow-leaks" in page and "<b>it</b>" not in page


def test_the_page_has_a_section_on_retrieval_where_it_was_measured() -> None:
    assert "was not measured. <code>memories: {hindsight: true}</code>" in render(made())
    cell = Cell(mean=0.0123, low=-0.01, high=0.03, n=9, interviews=6, unscored=0)
    nothing = Cell(mean=None, low=None, high=None, n=0, interviews=0, unscored=0)
    found = Retrieval(
        reader="smollm2", questions=12, passages=36, kept=9, useful=20, own=cell, refused=cell, shuffled=cell,
        difference=cell, gate_auc=nothing, similarity_auc=cell,
    )  # fmt: skip
    page = render(made().model_copy(update={"retrieval": found}))
    assert "0.0123" in page and "n/a" in page and "20 of the 36" in page and "filter was on" not in page
    filtering = found.model_copy(update={"filtered": Filtered(dropped=3, of=8)})
    assert "it took 3 of 8 memories" in " ".join(render(made().model_copy(update={"retrieval": filtering})).split())


def test_what_is_not_admitted_is_grey_and_says_why() -> None:
    page = render(made())
    table = page[page.index('id="h-exam"') : page.index('id="h-skill"')]
    refused, admitted = (
        next(row for row in table.split("<tr") if f"<small>{name}, " in row)
        for name in ("judge_stance", "style_identity")
    )
    assert "class=refused" in refused and "not admitted" in refused and "none" in refused
    assert "class=refused" not in admitted and "0.80 to 0.95" in admitted and "1 of 1 hold" in admitted
    assert "1 of 2 metrics and judges passed" in page


def test_skill_is_shown_with_its_interval_or_why_there_is_none() -> None:
    page = render(made())
    table = page[page.index('id="h-skill"') :].split("</table>")[0]
    assert "<b>0.81</b><small>0.70 to 0.93</small>" in table and ">none<small" in table


def test_an_interval_beyond_the_top_does_not_stretch_the_axis() -> None:
    results = made()
    cells = {"style_identity": Cell(mean=0.99, low=0.97, high=1.01, n=12, interviews=6, unscored=0)}
    arms = {name: arm.model_copy(update={"metrics": cells}) for name, arm in results.arms.items()}
    ticks = plot(results.model_copy(update={"arms": arms}), "style_identity")["ticks"]
    assert [t["text"] for t in ticks] == ["0", "0.25", "0.5", "0.75", "1"]


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_verdict_is_on_the_first_screen(
    browser: Browser, tmp_path: Path, width: int, height: int, scripts: bool
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(made()), "utf-8")
    with opened(browser, path, width=width, height=height, java_script_enabled=scripts) as page:
        verdict = page.locator("h1")
        words = " ".join(verdict.inner_text().split()).replace("✓ ", "")
        assert verdict.is_visible() and "PASS raft beats baseline" in words, "results of before had no axes"
        box = verdict.bounding_box()
        assert box is not None and box["y"] + box["height"] < height
        assert page.title().startswith("PASS")
        assert overflow(page) == []


def test_what_judges_say_and_how_they_did_in_their_exam_is_told() -> None:
    page = render(made())
    for words in ("taken for the real answer", "caricature", "alpha", "1.20", "31 of 40", "88 calls"):
        assert words in page, words
    silent = made().model_copy(update={"judging": None})
    assert "No judge graded the arms" in render(silent)


def test_every_check_is_said_also_when_it_was_not_made() -> None:
    bare = {c.name: c for c in checks(made())}
    assert {n: c.state for n, c in bare.items() if c.state == "unknown"}.keys() >= {"Leaks", "Contamination", "Budget"}
    assert bare["Errors"].state == "fine" and bare["Exam"].words.startswith("Voice passed, AUC 0.90 [0.80, 0.95]")
    assert bare["Not measured"].state == "unknown", "nothing may speak about what is said"
    assert bare["Unscored"] == TrustCheck(
        "Unscored", "fine", "0 of 72 scores could not be given; Stance (judge) gave none at all"
    )
    assert "31 of 40" in bare["Order of texts"].words
    told = made().model_copy(
        update={
            "budget": Spent(usd=1.5, tokens=9, over="3 USD"),
            "leaks": Leaks(checked="all", found=[]),
            "contamination": Contamination(says="no sign", sentence="s", signs=[]),
            "exam": [],
        }
    )
    said = {c.name: c for c in checks(told)}
    assert (said["Budget"].state, said["Leaks"].state, said["Contamination"].state) == ("doubt", "fine", "fine")
    assert "3 USD" in said["Budget"].words and said["Exam"].state == "unknown"
    page = render(told)
    assert "1.50 US$, 9 tokens" in page and "no judge is asked" in page


def test_the_head_says_what_no_metric_may_speak_about() -> None:
    run = made()
    voice = next(e for e in run.exam if e.axis != "content")
    content = voice.model_copy(update={"metric": "rouge_l", "axis": "content", "admitted": False})

    def told(*entries: Exam) -> str:
        return unmeasured(run.model_copy(update={"exam": list(entries)}))

    passed, failed = content.model_copy(update={"admitted": True}), voice.model_copy(update={"admitted": False})
    assert told(voice, content).startswith("what the answers say. Of 1 metrics of content none passed")
    assert told(voice, passed) == "" and told(failed, passed).startswith("how the answers sound")
    assert told(failed, content) == told() != "" and told() in render(run.model_copy(update={"exam": []}))


def test_sections_without_data_say_why() -> None:
    bare = made().model_copy(update={"exam": [], "skill": [], "style": None, "judging": None, "tuned": []})
    page = render(bare)
    for name in SECTIONS:
        assert page.count(f'id="h-{name}"') == 1, name
    for words in ("No metric sat an exam", "No skill score", "No judge graded", "has no <code>style_identity", "was tuned here",
                  "No reference run was named", "No earlier runs were named"):  # fmt: skip
        assert words in page, words


def test_a_training_sample_is_shown_as_text() -> None:
    turns = [("system", "You are Pat."), ("user", HOSTILE), ("answer", "Aye.")]
    tuned = Tuned(
        arm="raft",
        digest="abc",
        samples=9,
        losses=[3.0, 2.0],
        example=Example(exchange_id="e-q1", date="2011-01-01", turns=turns),
    )
    page = render(made().model_copy(update={"tuned": [tuned]}))
    sample = page[page.index("one of its 9 samples") :].split("</dl>")[0]
    assert "You are Pat." in sample and "Aye." in sample and "<img" not in sample


def test_the_commit_stands_on_the_page_or_that_there_is_none() -> None:
    assert "not recorded: no git repository" in render(made())
    about = {"ratf": "0", "commit": "0123456789abcdef", "uncommitted": "yes"}
    page = render(made().model_copy(update={"environment": about}))
    assert '<code title="0123456789abcdef">0123456789ab</code>, with uncommitted changes' in page


def test_headings_are_in_order_and_tables_have_scopes_and_captions() -> None:
    page = render(made())
    levels = [int(n) for n in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in pairwise(levels))
    heads = re.findall(r"<th[ >][^>]*", page)
    assert all("scope=" in head for head in heads)
    assert page.count("<table") == page.count("<caption>")


def test_numbers_have_the_digits_that_their_interval_bears() -> None:
    cell = Cell(mean=0.93441, low=0.88312, high=0.98533, n=9, interviews=6, unscored=0)
    assert (value(cell), interval(cell), plus(cell)) == ("0.93", "0.88 to 0.99", "+0.93")
    near = Cell(mean=0.03, low=0.0031, high=0.06, n=9, interviews=6, unscored=0)
    assert interval(near) == "0.003 to 0.060", "whether an interval holds 0 is seen"
    narrow = Cell(mean=-0.00011, low=-0.0012, high=0.0012, n=9, interviews=6, unscored=0)
    assert (value(narrow), interval(narrow)) == ("0.000", "-0.001 to 0.001")
    assert (p_value(0.00001), p_value(0.0312), p_value(None)) == ("< 0.001", "0.031", "n/a")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_switch_turns_the_colours_round_and_is_kept(browser: Browser, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(made()), "utf-8")
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(path.as_uri())
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.locator("#theme").focus()
    page.keyboard.press("Enter")
    after = page.evaluate(paper)
    assert before != after
    page.reload()
    assert page.evaluate(paper) == after, "kept"
    assert page.locator("#theme").inner_text() == ("Dark colours" if scheme == "dark" else "Light colours")
    context.close()


def test_a_blocked_storage_or_no_scripts_leave_a_page_to_read(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(made()), "utf-8")
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked'); }})")
    page.goto(path.as_uri())
    page.locator("#theme").click()
    assert complaints == [] and page.evaluate("document.documentElement.dataset.theme") in ("light", "dark")
    context.close()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("#theme").is_hidden()
    context.close()


@pytest.mark.parametrize(
    ("skill", "says"),
    [(0.12, False), (0.31, True)],
)
def test_the_page_says_what_becomes_of_strangers_and_what_it_means(skill: float, says: bool) -> None:
    theirs = Strangers(skill=skill, low=skill - 0.1, high=skill + 0.1, n=36)
    strangers = {"rudge": "Bettany <Rudge>"}
    results = make({"raft": {"rouge_l": [0.5] * 6}, "baseline": {"rouge_l": [0.4] * 6}}, ["a", "a", "b", "b", "c", "c"])
    results = results.model_copy(update={"strangers": strangers, "voice": VoiceFacts(refused={}, strangers=theirs)})
    page = render(results)
    assert f"(Bettany &lt;Rudge&gt;) have a mean skill of {skill:.2f}" in page
    assert ("mistakes a new speaker for Tove Marrack" in page) == says


def test_the_page_says_why_nothing_is_known_of_strangers() -> None:
    theirs = Strangers(skill=None, low=None, high=None, n=0, reason="a single interview gives no interval")
    results = make({"raft": {"rouge_l": [0.5] * 6}, "baseline": {"rouge_l": [0.4] * 6}}, ["a", "a", "b", "b", "c", "c"])
    results = results.model_copy(
        update={"strangers": {"rudge": "Bettany"}, "voice": VoiceFacts(refused={}, strangers=theirs)}
    )
    assert "(Bettany) score on voice is not known: a single interview gives no interval" in render(results)
