"""A run that never was, with something in every section of its page. No chance in it: the same call, the same results."""

import math
from collections.abc import Sequence
from typing import Any

from planted import Scores, make

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
    Sign,
    Strength,
    StyleFacts,
)
from ratf.results.results import Answer, AxisVerdict, Cell, Leaks, Question, Results, Retrieval, Scored, Spent, Tuned
from ratf.statistics.skill import skill
from ratf.statistics.verdict import signed
from ratf.suite.arms import ARMS, CEILING, FLOOR
from ratf.suite.metrics import metric

METRICS = ("style_identity", "embedding_cosine", "rouge_l", "judge_stance", "length_ratio")
FAILED = "judge_stance"
ASKED = (
    "Why did you dam the upper stream?",
    "What did the flood teach the village?",
    "Would you let the mill be sold?",
    "Who kept the books in the dry years?",
)
SAID = {
    "real": "The stream was dammed so that the low fields had water in August. I signed for it, and I would again.",
    "same_near": "I signed what the low fields needed. You ask about August; in August nobody asks.",
    "impostor_near": "As a banker I look at yields, and a dam is a bond with fish in it.",
    "baseline": "That is a great question. There are many reasons why a stream may be dammed.",
    "rag_only": "According to my writings, the low fields needed water, and so the stream was dammed.",
    "finetune_only": "I signed for it. August is August, and the bank was there before the flood.",
    "raft": "The low fields had no water in August. I signed for the dam, and I would sign again.",
}
LEVELS = {"real": 0.9, CEILING: 0.82, FLOOR: 0.2, "baseline": 0.3, "rag_only": 0.42, "finetune_only": 0.6, "raft": 0.74}
INTERVAL = Share(k=31, n=40, share=0.775, low=0.62, high=0.88)


def invented(
    questions: int = 2, person: str = "marrack", model: str = "local/b", day: int = 1, metrics: Sequence[str] = METRICS
) -> Results:
    """Four arms and three controls on so many questions, two an interview where there are four or more."""
    each, spread = (1, 0.004) if questions < 4 else (2, 0.08)
    interviews = [f"talk-{n // each + 1}" for n in range(questions)]
    scores: Scores = {
        arm: {m: [_score(arm, m, n, day, spread) for n in range(questions)] for m in metrics} for arm in LEVELS
    }
    about = {
        "name": "mill-race",
        "person": person,
        "models": {"base": model, "embedder": "local/e", "grader": "openai/g"},
    }
    made = make(scores, interviews, {**about, "seed": 7, "impostors": ["pell"]})
    arms = {
        n: a.model_copy(update={"words": ARMS[n].words if n in ARMS else n, "model": model})
        for n, a in made.arms.items()
    }
    made = made.model_copy(
        update={
            **{"arms": arms, "verdict": "PASS", "sentence": _sentence(made), "budget": Spent(usd=1.25, tokens=120_000)},
            "axes": [AxisVerdict(metric=METRICS[0], axis="voice", verdict="PASS", sentence=_sentence(made))],
            "person": {"key": person, "name": {"marrack": "Tove Marrack"}.get(person, person.title())},
            "data_digest": f"data-{person}",
            "held_out": {**made.held_out, "interviews": [_interview(i) for i in dict.fromkeys(interviews)]},
            "training": {**made.training, "left_out": {"answers under 20 words": 1}},
            "notes": ["one interview has no exact day"],
            "questions": [_question(q, n) for n, q in enumerate(made.questions)],
            "times": {
                "finished": f"2026-03-{day:02d} 09:00 UTC",
                "seconds": {"tune": 40.0, "answer": 15.0},
                "total": 60.0,
            },
            "exam": [_exam(m, questions) for m in metrics if m != "length_ratio"],
            "metrics": {m: {**facts, "words": metric(m).words} for m, facts in made.metrics.items()},
        }
    )
    return made.model_copy(update={"skill": _skills(made), **_sections(questions)})


def other_judge(results: Results) -> Results:
    """The same run, graded by another model."""
    models = {**results.suite["models"], "grader": "openai/new"}
    return results.model_copy(update={"suite": {**results.suite, "models": models}})


def _score(arm: str, metric: str, n: int, day: int, spread: float) -> float:
    if metric == FAILED and n == 1 and arm == "rag_only":
        return math.nan
    level = 0.5 if metric == FAILED else LEVELS[arm]
    wave = spread * (
        math.sin(2.3 * n + 11 * level + METRICS.index(metric)) + 0.5 * math.cos(1.7 * n) + 0.3 * math.sin(day)
    )
    if metric == "length_ratio":
        return round(len(SAID[arm].split()) / len(SAID["real"].split()), 4)
    return round(min(1.0, max(0.0, level + wave)), 4)


def _sentence(made: Results) -> str:
    c = next(c for c in made.comparisons if (c.metric, c.a, c.b) == (METRICS[0], "raft", "baseline"))
    return f"raft beats baseline: {signed(c.difference, c.low, c.high)} on style_identity, {c.n_questions} paired questions"


def _interview(name: str) -> dict[str, Any]:
    return {"id": name, "title": f"The {name}", "date": "2020-01-01", "source": "Mill Radio", "n": 1}


def _question(q: Question, n: int) -> Question:
    memory = {"text": "The low fields were dry.", "title": "Notes on water", "date": "2011-05-01", "source": "Letters"}
    answers = {}
    for arm, answer in q.answers.items():
        told = {
            m: s
            if m != FAILED or s.value is None
            else s.model_copy(update={"why": "It says the same.", "votes": [_vote(s)]})
            for m, s in answer.scores.items()
        }
        kept = [memory] if arm in ("rag_only", "raft") else []
        source = "Mill Radio, 2018" if arm in (FLOOR, CEILING) else ""
        answers[arm] = Answer(text=f"{SAID[arm]} ({n + 1})", memories=kept, source=source, scores=told)
    asked = {"question": ASKED[n % len(ASKED)], "real": f"{SAID['real']} ({n + 1})", "answers": answers}
    return q.model_copy(update={"interview": f"The {q.interview_id}", **asked})


def _vote(scored: Scored) -> dict[str, Any]:
    return {"grader": "openai/g", "order": "AB", "value": scored.value, "reason": "Both sign for the dam."}


def _exam(name: str, n: int) -> Exam:
    admitted = name != FAILED
    order = Order(higher="real", lower=FLOOR, must=True, auc=0.9, low=0.8, high=0.95, shows="holds")
    dose = Dose(shares=[0, 0.5, 1], means=[0.9, 0.5, 0.1], monotone=True, slope=-0.8, low=-0.9, high=-0.7, n=n)
    grader = GraderExam(
        grader="openai/g", admitted=False, reason="no better than a coin", faults=["coin"], auc=0.5, low=0.4, high=0.6,
        sensitivity=INTERVAL, specificity=INTERVAL, order_flips=INTERVAL, first_named=0.7, self_consistency=INTERVAL,
        length_correlation=0.1, obeyed=INTERVAL, unreadable=INTERVAL, refused=0, raw=["Perhaps."],
    )  # fmt: skip
    judge = JudgeFacts(
        rubric="stance", version=1, digest="d", form="choice", comparisons=40, calls=88, tokens=900, grades=False,
        graders=[grader],
    )  # fmt: skip
    return Exam(
        metric=name, axis="identity", auc=0.9 if admitted else 0.55, low=0.8 if admitted else 0.41, high=0.95,
        admitted=admitted, bar=0.6, n=n, interviews=n, unscored=0, orders=[order], dose=dose,
        reason="the lower end 0.80 is above the bar of 0.6" if admitted else "the lower end 0.41 is not above the bar of 0.6",
        judge=judge if name == FAILED else None,
    )  # fmt: skip


def _skills(made: Results) -> list[Any]:
    cluster = {q.id: q.interview_id for q in made.questions}

    def numbers(arm: str, metric: str) -> dict[str, float]:
        return {q.id: v for q in made.questions if (v := q.answers[arm].scores[metric].value) is not None}

    return [
        skill(m, arm, numbers(arm, m), numbers(FLOOR, m), numbers(CEILING, m), cluster)
        for m in made.metrics
        if m in METRICS[:3]
        for arm, result in made.arms.items()
        if result.kind == "arm"
    ]


def _sections(n: int) -> dict[str, Any]:
    def cell(mean: float) -> Cell:
        return Cell(mean=mean, low=mean - 0.1, high=mean + 0.1, n=n, interviews=n, unscored=0)

    choice = ForcedChoice(
        metric="judge_forced_choice_chosen", arm="raft", share=0.61, low=0.55, high=0.67, n=36, margin=0.2, power=0.8,
        says="caricature",
    )  # fmt: skip
    won = Strength(metric="judge_pairwise_won", arm="raft", strength=1.2, low=0.9, high=1.5, won={"baseline": 0.7})
    agreement = Agreement(metric=FAILED, graders=["openai/g", "openai/h"], alpha=0.41, n=36)
    masked = Masked(metric=FAILED, arm="raft", difference=0.1, low=0.02, high=0.18, n=36)
    sign = Sign(
        name="verbatim", words="continues word for word", says="no sign", difference=0.01, low=-0.02, high=0.04, n=n
    )
    clear = "the base model shows no sign of knowing the held-out answers"
    losses = [round(3 / (1 + 0.2 * i), 3) for i in range(12)]
    return {
        "judging": Judging(
            planned={"calls": 90, "tokens": 900}, spent={"calls": 88, "tokens": 880}, saved={"calls": 2, "tokens": 20},
            anyway=False, agreement=[agreement], forced_choice=[choice], pairwise=[won], masked=[masked],
        ),
        "style": StyleFacts(
            evidence=[
                Evidence(kind="word", text="august", weight=2.0, person=0.5, others=0.1),
                Evidence(kind="n-gram", text="yiel", weight=-1.5, person=0.0, others=0.4),
            ],
            delta=[
                Delta(arm="raft", words=2000, burrows=1.1, burrows_spread=(1.0, 1.2), cosine=0.7, cosine_spread=(0.6, 0.8)),
                Delta(arm="baseline", words=9, burrows=None, burrows_spread=None, cosine=None, cosine_spread=None),
            ],
            budget=1000,
        ),
        "retrieval": Retrieval(
            reader="smollm2", questions=n, passages=3 * n, kept=2 * n, useful=n, own=cell(0.012), refused=cell(0.002),
            shuffled=cell(-0.004), difference=cell(0.016), gate_auc=cell(0.6), similarity_auc=cell(0.55),
        ),
        "contamination": Contamination(says="no sign", sentence=clear, signs=[sign]),
        "leaks": Leaks(checked=f"{n} held-out answers against 3 writings", found=[]),
        "tuned": [
            Tuned(arm=arm, digest=f"{i}" * 12, samples=9, losses=losses, validation=[(0, 3.1), (6, 2.0), (12, 1.6)])
            for i, arm in enumerate(("finetune_only", "raft"))
        ],
    }  # fmt: skip
