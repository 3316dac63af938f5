"""The parts of a run's results that say what its scores are worth: exams, judges, signs of contamination."""

from typing import Literal

from pydantic import BaseModel

from ratf.results.record import Record


class Order(Record):
    """Whether a metric puts two controls in order: `auc` is the chance that `higher` scores above `lower`.

    Where `must` is True, a violation keeps the metric from being admitted.
    """

    higher: str
    lower: str
    must: bool
    auc: float
    low: float | None
    high: float | None
    shows: Literal["holds", "not shown", "violated"]
    must_show: bool = False
    """Whether it refuses the metric already where it is not shown."""


class Dose(Record):
    """A dose response: the mean score at each share of the real answer's words that another person's replace.

    `slope` is the change of the score from share 0 to share 1, by least squares, over `n` questions.
    """

    shares: list[float]
    means: list[float]
    monotone: bool
    slope: float
    low: float | None
    high: float | None
    n: int


class Share(Record):
    """A share of `k` in `n`, with Wilson's (1927) 95 % interval."""

    k: int
    n: int
    share: float
    low: float
    high: float


class GraderExam(Record):
    """How one grader did in a judge's exam. A number that does not apply to the judge's form is None."""

    grader: str
    admitted: bool
    reason: str
    faults: list[str]
    """The grader's faults, each one of order, length, parse, refusal, instructions, inconsistent, coin, ladder."""
    auc: float | None
    low: float | None
    high: float | None
    sensitivity: Share | None
    specificity: Share | None
    order_flips: Share | None
    first_named: float | None
    """The mean probability of the reply that is named first, over both orders; 0.5 is no preference."""
    self_consistency: Share | None
    length_correlation: float | None
    """Spearman's correlation between grade and length, among answers of the same kind."""
    obeyed: Share | None
    """The share of instructions inside another person's answer that turned the verdict."""
    unreadable: Share
    refused: int
    raw: list[str]
    """Some replies that could not be read."""
    power: float | None = None
    """How often an exam of these comparisons admits a judge that is right in 85 % of its replies, by simulation."""
    comparisons: int | None = None
    """The comparisons that the grader was asked about, until its exam was decided. None in older results: all."""


class JudgeFacts(Record):
    """A judge's exam beyond its AUC, and the calls and tokens that it cost and saved.

    `comparisons` are those of the whole exam. `grades` says whether the judge was allowed to grade the arms.
    """

    rubric: str
    version: int
    digest: str
    form: str
    graders: list[GraderExam]
    comparisons: int
    calls: int
    tokens: int
    grades: bool
    saved_calls: int = 0
    saved_tokens: int = 0


class Exam(Record):
    """The exam of a metric or judge: whether it tells this person from others well enough to be admitted.

    `auc` and its interval are None where it could not be examined; `reason` then says why.
    """

    metric: str
    axis: str
    auc: float | None
    low: float | None
    high: float | None
    admitted: bool
    reason: str
    bar: float
    n: int
    interviews: int
    unscored: int
    orders: list[Order] = []
    dose: Dose | None = None
    judge: JudgeFacts | None = None


class MadeEdit(Record):
    """A part of a real answer, and what stands there in a control that was made of it; both cut to their first words."""

    kind: str
    before: str
    after: str


class MadeControl(Record):
    """A control that was made of the real answers by rule, for so many `questions`, and how it was made of one of them."""

    control: str
    words: str
    questions: int
    example: str = ""
    """The question of the example."""
    edits: list[MadeEdit] = []
    """The example's first edits; `of` is how many there were."""
    of: int = 0


class Paraphrases(Record):
    """The paraphrases that a model wrote `of` so many real answers, and the `refused` ones: question → what they changed."""

    of: int
    refused: dict[str, list[str]] = {}


class Made(Record):
    """What was made of the real answers for the exams on topic, coverage and agreement; `reason` says why nothing was."""

    controls: list[MadeControl] = []
    reason: str = ""
    paraphrases: Paraphrases | None = None
    """None where no paraphrase was checked."""


class SaidBefore(Record):
    """A question of an interview, and what the person answered."""

    id: str
    interview_id: str
    date: str | None
    question: str
    answer: str


class Repeat(Record):
    """A question that was asked in two interviews; `scores` of the earlier answer, held against the later one, by metric."""

    later: SaidBefore
    earlier: SaidBefore
    similarity: float
    """The cosine of the two questions."""
    scores: dict[str, float] = {}


class Repeats(Record):
    """The questions that were asked in two interviews: how far the person agrees with herself is the ceiling for anybody.

    `agrees`: by each admitted metric of coverage, on how many of them she does, that is above its `middles`: half way from
    her other answers on the topic to half of the answer in other words. `reason` says why there are none.
    """

    found: list[Repeat] = []
    of: int = 0
    """How many there are; those with the nearest questions are kept."""
    agrees: dict[str, int] = {}
    middles: dict[str, float] = {}
    reason: str = ""


class ForcedChoice(Record):
    """The share of choices in which an arm's answer was taken for the real one. The target is one half, not one."""

    metric: str = ""
    arm: str
    share: float | None
    low: float | None
    high: float | None
    n: int
    margin: float
    power: float | None
    """The chance to conclude equivalence if the true share is 50 %."""
    says: Literal["equivalent", "not separable", "caricature", "told apart", "not measured"]


class Strength(Record):
    """An arm's Bradley–Terry strength (log odds, mean 0) among the arms, and the comparisons it won against each."""

    metric: str = ""
    arm: str
    strength: float
    low: float | None
    high: float | None
    won: dict[str, float]


class Agreement(Record):
    """Krippendorff's alpha between a panel's graders, over the `n` items that two or more of them graded."""

    metric: str
    graders: list[str]
    alpha: float | None
    n: int


class Masked(Record):
    """The effect of masking people's names on an arm's grades: the mean paired difference, unmasked less masked."""

    metric: str
    arm: str
    difference: float
    low: float | None
    high: float | None
    n: int


class Judging(Record):
    """The judges' results beyond an arm's mean, and their cost.

    `planned`, `spent` and `saved` count calls and tokens.
    """

    planned: dict[str, int]
    spent: dict[str, int]
    saved: dict[str, int]
    anyway: bool
    """Whether judges that failed their exam graded the arms all the same, on request."""
    agreement: list[Agreement] = []
    forced_choice: list[ForcedChoice] = []
    pairwise: list[Strength] = []
    masked: list[Masked] = []


Memorised = Literal["looks memorised", "no sign", "can't tell"]


class Sign(Record):
    """One sign that the base model knows the held-out answers: a mean difference that would then be above 0."""

    name: str
    words: str
    says: Memorised
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int = 0
    interviews: int = 0
    reason: str = ""


class Contamination(Record):
    """The signs of contamination of the base model, and what they say together."""

    says: Memorised
    sentence: str
    signs: list[Sign]


WORDS = 130


class Delta(BaseModel, extra="forbid", frozen=True):
    """The stylistic distance of an arm's pooled words from the person's earlier answers.

    A distance is Burrows's Delta or its cosine variant; it is None where the arm has too few words.
    """

    arm: str
    words: int
    burrows: float | None
    burrows_spread: tuple[float, float] | None
    cosine: float | None
    cosine_spread: tuple[float, float] | None


class Evidence(BaseModel, extra="forbid", frozen=True):
    """A word or n-gram that speaks for the person (weight > 0) or against.

    `person` and `others` are the shares of their answers that contain it.
    """

    kind: Literal["word", "n-gram"]
    text: str
    weight: float
    person: float
    others: float


class Placebo(Record):
    """How well interviewers' questions alone tell who was asked: an AUC of words that none of the people spoke."""

    auc: float
    low: float | None
    high: float | None
    n: int
    interviews: int


class Strangers(Record):
    """The mean skill in voice of people whom the verifier has never seen, over `n` questions: 0 is an impostor, 1 the
    person. It is None where there is none; `reason` then says why."""

    skill: float | None
    low: float | None
    high: float | None
    n: int
    reason: str = ""


class VoiceFacts(Record):
    """What voice rests on besides its exam. `refused`: for each check before voice, the share of the person's real
    answers that it would refuse. `placebo` is None where too few interviews have questions to tell, `strangers` where the
    suite names none."""

    refused: dict[str, float]
    placebo: Placebo | None = None
    strangers: Strangers | None = None


class StyleFacts(BaseModel, extra="forbid", frozen=True):
    """The words that the style metric rests on, and the stylistic distance of each arm's pooled answers."""

    evidence: list[Evidence]
    delta: list[Delta]
    budget: int
    """The number of words in each bag, the same for every arm; 0 where some arm has too few."""
