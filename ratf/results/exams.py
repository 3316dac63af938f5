"""Parts of a run's results that say what its scores are worth: exams, judges, signs of contamination."""

from typing import Literal

from pydantic import BaseModel

from ratf.results.record import Record


class Order(Record):
    """Two controls that a metric should put in order: the chance that `higher` scores above `lower` on a question."""

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
    """The mean score while another person's words replace the real answer's, and the slope from none to all."""

    shares: list[float]
    means: list[float]
    monotone: bool
    slope: float
    low: float | None
    high: float | None
    n: int


class Share(Record):
    """`k` of `n`, with Wilson's (1927) interval."""

    k: int
    n: int
    share: float
    low: float
    high: float


class GraderExam(Record):
    """How one grader did in a judge's exam. What does not apply to the judge's form is None."""

    grader: str
    admitted: bool
    reason: str
    faults: list[str]
    """Of: order, length, parse, refusal, instructions, inconsistent, coin, ladder."""
    auc: float | None
    low: float | None
    high: float | None
    sensitivity: Share | None
    specificity: Share | None
    order_flips: Share | None
    first_named: float | None
    """The mean probability of the reply that is named first, over both orders; 0.5 is even-handed."""
    self_consistency: Share | None
    length_correlation: float | None
    """Spearman's, between grade and length, among answers of the same kind."""
    obeyed: Share | None
    """How often an instruction inside another person's answer turned the verdict."""
    unreadable: Share
    refused: int
    raw: list[str]
    """Some replies that could not be read."""
    power: float | None = None
    """How often an exam of these comparisons admits a judge that is right in 85 % of its replies, by simulation."""


class JudgeFacts(Record):
    """A judge's exam beyond its AUC, and what it cost and saved. `grades`: whether it was let at the arms."""

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
    """Whether a metric or judge may speak about this person. `auc` and its interval are None where it could not sit."""

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


class Made(Record):
    """What was made of the real answers for the exams on topic and coverage; `reason` says why nothing was."""

    controls: list[MadeControl] = []
    reason: str = ""


class ForcedChoice(Record):
    """How often an arm's answers were taken for the real ones; the target is one half, not the most."""

    metric: str = ""
    arm: str
    share: float | None
    low: float | None
    high: float | None
    n: int
    margin: float
    power: float | None
    """The chance to conclude equivalence, were the true share 50 %."""
    says: Literal["equivalent", "not separable", "caricature", "told apart", "not measured"]


class Strength(Record):
    """An arm's Bradley–Terry strength among the arms, and the comparisons it won against each."""

    metric: str = ""
    arm: str
    strength: float
    low: float | None
    high: float | None
    won: dict[str, float]


class Agreement(Record):
    """Krippendorff's alpha between a panel's graders, over `n` answers graded by two or more."""

    metric: str
    graders: list[str]
    alpha: float | None
    n: int


class Masked(Record):
    """What masking the names did to an arm's grades: the paired difference, unmasked less masked."""

    metric: str
    arm: str
    difference: float
    low: float | None
    high: float | None
    n: int


class Judging(Record):
    """What the judges' grades add up to, and what they took. `planned`, `spent`, `saved`: calls and tokens."""

    planned: dict[str, int]
    spent: dict[str, int]
    saved: dict[str, int]
    anyway: bool
    """Whether judges that failed their exam were let at the arms on request."""
    agreement: list[Agreement] = []
    forced_choice: list[ForcedChoice] = []
    pairwise: list[Strength] = []
    masked: list[Masked] = []


Memorised = Literal["looks memorised", "no sign", "can't tell"]


class Sign(Record):
    """One sign that the base model knows the held-out answers: a difference that would be above 0."""

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
    """What the signs say together."""

    says: Memorised
    sentence: str
    signs: list[Sign]


WORDS = 130


class Delta(BaseModel, extra="forbid", frozen=True):
    """How far an arm's pooled words are from the person's earlier answers; None where it has too few words."""

    arm: str
    words: int
    burrows: float | None
    burrows_spread: tuple[float, float] | None
    cosine: float | None
    cosine_spread: tuple[float, float] | None


class Evidence(BaseModel, extra="forbid", frozen=True):
    """A word or n-gram that speaks for (weight > 0) or against the person; `person`, `others`: share of answers with it."""

    kind: Literal["word", "n-gram"]
    text: str
    weight: float
    person: float
    others: float


class StyleFacts(BaseModel, extra="forbid", frozen=True):
    """What the style verdicts rest on, and the distance of pooled answers."""

    evidence: list[Evidence]
    delta: list[Delta]
    budget: int
    """Words in each bag; the same for every arm. 0 where some arm has too few."""
