"""The calls and tokens that judges' exams and grading will take, counted before anything is asked."""

from raft.text import count_words
from ratf.judges.comparisons import ExamItem, items, requests
from ratf.judges.texts import case_of, fill
from ratf.results.exams import Exam
from ratf.statistics.judges.judge_exam import Admission
from ratf.statistics.judges.stopping import FIRST
from ratf.suite.arms import CEILING, FLOOR
from ratf.suite.rubric import Rubric, of_metric
from ratf.suite.study import Study

TOKENS_PER_WORD = 1.35
REPLY_TOKENS = {"claims": 350}
"""The tokens of a reply by the rubric's form, where it is more than a word or two; other replies count as 10."""


def plan(study: Study) -> dict[str, int]:
    """The calls and tokens of judges' exams and of grading; real answers stand in for those not yet given."""
    total = dict.fromkeys(
        ("least_exam_calls", "least_exam_tokens", "exam_calls", "exam_tokens", "grading_calls", "grading_tokens"), 0
    )
    for rubric, masked in judges_of(study):
        least, exam, grading = (count(study, rubric) for count in (least_exam_calls, exam_calls, grading_calls))
        each = tokens_a_call(study, rubric, masked)
        total["least_exam_calls"] += least
        total["least_exam_tokens"] += least * each
        total["exam_calls"] += exam
        total["exam_tokens"] += exam * each
        total["grading_calls"] += grading
        total["grading_tokens"] += grading * each
    return total


def describe_plan(study: Study) -> str:
    """The planned calls and tokens of the judges in one line of text."""
    p = plan(study)
    return (
        f"judges: the exam takes at most {p['exam_calls']} calls and about {p['exam_tokens']} tokens, but for a judge that "
        f"shows at once that it cannot pass only {p['least_exam_calls']} calls and about {p['least_exam_tokens']} tokens; "
        f"grading, for those that pass, {p['grading_calls']} calls and about {p['grading_tokens']} tokens"
    )


def judges_of(study: Study) -> list[tuple[Rubric, bool]]:
    """The suite's judges as (rubric, whether names are masked), each once."""
    found = {}
    for name, facts in study.suite.facts.items():
        if facts.judged:
            rubric, _, masked = of_metric(name, study.suite.rubrics)
            found[rubric.name, masked] = (rubric, masked)
    return list(found.values())


def exam_calls(study: Study, rubric: Rubric) -> int:
    """The greatest number of calls of a judge's exam over all graders, whatever the controls' texts turn out to be."""
    return sum(1 for item in _items(study, rubric) for _ in requests(rubric, item)) * len(study.suite.graders)


def least_exam_calls(study: Study, rubric: Rubric) -> int:
    """The calls of an exam that is decided when it is looked at for the first time, over all graders."""
    first = _items(study, rubric)[:FIRST]
    return sum(1 for item in first for _ in requests(rubric, item)) * len(study.suite.graders)


def asked_in_exam(study: Study, rubric: Rubric) -> int:
    """The number of grading requests that the exam has made about the same answers, so that the cache has them."""
    graded = {c for c in (FLOOR, CEILING) if c in study.suite.controls}
    compared = [i for i in _items(study, rubric) if i.kind != "probe"]
    if rubric.form == "pairwise":  # only arms are graded in pairs, and no arm is in the exam
        return 0
    if rubric.form == "forced_choice":  # an answer is compared with the real one, in both orders
        same = 2 * sum(bool({i.control, i.rival} & graded) and "real" in (i.control, i.rival) for i in compared)
    else:
        same = sum(i.control in graded for i in compared)
    return same * len(study.suite.graders)


def _items(study: Study, rubric: Rubric) -> list[ExamItem]:
    """The exam's comparisons, with placeholders for the controls' texts: the control and the question id."""

    def make() -> list[ExamItem]:
        texts = {c: {e.exchange_id: f"{c} {e.exchange_id}" for e in study.held_out} for c in study.suite.controls}
        return items(study, rubric, texts)

    return study.held(f"exam of {rubric.digest}", make)


def grading_calls(study: Study, rubric: Rubric) -> int:
    """The number of calls, over all graders, to grade every answer of every arm, and the floor and ceiling controls."""
    arms, samples = len(study.suite.all_arms), study.suite.answers.samples
    controls = sum(c in study.suite.controls for c in (FLOOR, CEILING))
    graded = samples * arms + controls
    each = {"pairwise": samples * arms * (arms - 1), "forced_choice": 2 * graded}.get(rubric.form, graded)
    return each * len(study.held_out) * len(study.suite.graders)


def tokens_a_call(study: Study, rubric: Rubric, masked: bool) -> int:
    """The tokens of one call: a prompt of median length over the held-out questions, and its reply."""
    prompts = []
    for exchange in study.held_out:
        case = case_of(study, rubric, exchange.exchange_id, exchange.answer, f"{exchange.answer} ", masked)
        prompts.append(count_words(f"{rubric.system} {fill(rubric, case).prompt}"))
    middling = sorted(prompts)[len(prompts) // 2]
    return round(middling * TOKENS_PER_WORD) + REPLY_TOKENS.get(rubric.form, 10)


def with_savings(study: Study, admission: Admission) -> list[Exam]:
    """The judges' exam entries, each with whether it graded the arms and, where not, the calls and tokens saved."""
    entries = []
    for entry in admission.entries:
        if entry.judge is not None:
            rubric, _, masked = of_metric(entry.metric, study.suite.rubrics)
            grades = admission.graders(entry.metric) != []
            saved = 0 if grades else grading_calls(study, rubric)
            more = {
                "grades": grades,
                "saved_calls": saved,
                "saved_tokens": saved * tokens_a_call(study, rubric, masked),
            }
            entry = entry.model_copy(update={"judge": entry.judge.model_copy(update=more)})
        entries.append(entry)
    return entries
