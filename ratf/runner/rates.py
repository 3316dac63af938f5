"""The times that parts of a run take: as in an earlier run, or as stated for two processor cores."""

from dataclasses import dataclass, replace

from ratf.models.prices import is_free
from ratf.results.results import Results
from ratf.suite.study import Study

EMBEDDED = "local/smollm2-135m-instruct"
HOSTED_SECONDS = 0.3
"""The estimated seconds of a request to a hosted model: three seconds, ten at a time."""


@dataclass(frozen=True)
class Rates:
    """Seconds, for each call or sample, of a model that runs here; None for one of which nothing is known."""

    source: str
    answer: float | None
    tuning: float | None
    verdict: float | None
    contamination: float | None
    scored: float
    """The seconds of an answer's deterministic scores."""
    thousand: float
    """The seconds of cutting and embedding a thousand characters of writings."""

    def of(self, model: str, calls: int, rate: float | None) -> float | None:
        """The seconds of `calls` calls of a model at `rate` seconds each; None where that is unknown."""
        if not is_free(model):
            rate = HOSTED_SECONDS
        return 0.0 if not calls else None if rate is None else rate * calls

    def beside(self, study: Study) -> float:
        """The seconds of what asks no chat model: embedding the writings, and scoring."""
        letters = sum(len(d.text) for d in study.person.documents)
        given = sum(map(study.suite.times, (*study.suite.all_arms, *study.suite.controls)))
        answers = given * len(study.held_out)
        return self.thousand * letters / 1000 + self.scored * answers


STATED = Rates(
    source=(
        "rates of the embedded models on two processor cores that multiply bf16 (others take two to three times as long), "
        "and 0.3 s a request to a hosted one"
    ),
    answer=0.75, tuning=0.95, verdict=0.35, contamination=0.55, scored=0.05, thousand=0.1,
)  # fmt: skip


def rates(study: Study, earlier: Results | None) -> Rates:
    """The rates of the earlier run where its base model was the same, else the stated ones."""
    base = study.suite.models.base
    known = STATED if base == EMBEDDED else replace(STATED, answer=None, tuning=None, contamination=None)
    if known is not STATED:
        known = replace(known, source=f"{STATED.source}; {base} is none of these")
    if earlier is None or earlier.suite["models"]["base"] != base:
        return known
    took = earlier.times["seconds"]
    calls = {role: r.calls for role, r in earlier.budget.roles.items()} if earlier.budget else _calls(earlier)
    learnt = sum(t.samples for t in earlier.tuned) * earlier.suite["training"]["epochs"]
    return replace(
        known,
        source=f"the times of the run of {earlier.times.get('finished', 'an unknown day')}",
        answer=_each(took.get("answer"), calls.get("answers")) or known.answer,
        tuning=_each(took.get("tune"), learnt) or known.tuning,
        contamination=_each(took.get("contamination"), calls.get("contamination")) or known.contamination,
    )


def _each(seconds: float | None, calls: int | None) -> float | None:
    return seconds / calls if seconds and calls else None


def _calls(earlier: Results) -> dict[str, int]:
    """The calls of a run that did not count them, by role: one an answer."""
    n = len(earlier.questions)
    return {"answers": n * sum(a.kind == "arm" for a in earlier.arms.values())}
