"""The plan of a run: what it takes and can show, before anything is spent. No weights are read, no text is embedded."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ratf.models.prices import NO_PRICES, Prices, load_prices
from ratf.results.loading import load
from ratf.results.record import Record
from ratf.results.results import Results
from ratf.runner.calls import CallCount, CallCounts
from ratf.runner.rates import rates
from ratf.statistics.power import Smallest, smallest_differences
from ratf.suite.arms import CONTRASTS
from ratf.suite.study import Study

MOST_LISTED = 12
"""The most interviews whose questions a plan tells one by one."""


class Total(Record):
    """The sums over several counts of calls; `usd` and `seconds` are None where one of them is unknown."""

    calls: int
    tokens: int
    usd: float | None
    seconds: float | None


class Plan(Record):
    """A run before it begins. What an earlier start has finished, or the cache has, is not asked again, nor counted."""

    suite: str
    digest: str
    person: str
    questions: int
    interviews: int
    uneven: str
    """How many questions each held-out interview gives, and why, if `split.questions` is not reached or not spread evenly."""
    asks: list[CallCount]
    least: Total
    """What the run takes if every judge shows at once that it cannot pass its exam: the least."""
    most: Total
    """What the run takes if every judge passes its exam: the most."""
    rates: str
    smallest: list[Smallest]
    primary: list[str]
    """The metrics that the verdict is about."""
    notes: list[str]


def plan(study: Study, prices: Prices | Path | str = NO_PRICES, earlier: Results | Path | str | None = None) -> Plan:
    """What a run of the study will take and what it can show: calls, tokens, cost, time, the smallest differences.

    `prices` are US$ per million tokens by model, or the YAML file that has them; without a model's price its cost is
    unknown. `earlier` is a finished run, or its folder, whose times and differences tell what to expect. Raises DataError
    for a file of prices that is none, and RaftError for a run that is not finished.
    """
    if not isinstance(prices, Mapping):
        prices = load_prices(Path(prices))
    if earlier is not None and not isinstance(earlier, Results):
        earlier = load(earlier)
    sizes = list(Counter(e.interview_id for e in study.held_out).values())
    known = rates(study, earlier)
    asks = list(CallCounts(study, prices, known).all())
    primary = study.suite.primary
    pairs = dict.fromkeys([(primary.better, primary.than), *CONTRASTS])
    there = [(a, b) for a, b in pairs if {a, b} <= set(study.suite.all_arms)]
    metrics = list(dict.fromkeys([*primary.metrics, *study.suite.metrics]))
    return Plan(
        suite=study.suite.name,
        digest=study.digest,
        person=study.person.about.name,
        questions=len(study.held_out),
        interviews=len(sizes),
        uneven=uneven(study),
        asks=asks,
        least=_total([a for a in asks if not a.if_admitted], known.beside(study)),
        most=_total(asks, known.beside(study)),
        rates=known.source,
        smallest=smallest_differences(sizes, metrics, there, earlier),
        primary=primary.metrics,
        notes=list(_notes(asks)),
    )


def uneven(study: Study) -> str:
    """How many questions each held-out interview gives, and why, in a line.

    Empty where the suite names no number of questions, or where all interviews give the same number and together reach it.
    """
    wanted, each = study.suite.split.questions, study.questions_each()
    asked, usable = ([pair[n] for pair in each] for n in (0, 1))
    if wanted is None or (sum(asked) == wanted and len(set(asked)) == 1):
        return ""
    who = study.person.key
    these = "held-out interview has" if len(each) == 1 else f"{len(each)} held-out interviews have"
    if wanted > sum(usable):
        return (
            f"{who}: the {these} {sum(usable)} usable answers ({_listed(usable)}), fewer than the {wanted} questions of "
            "split.questions, so all are asked."
        )
    return (
        f"{who}: the held-out interviews, oldest first, give {_listed(asked)} questions, in proportion to their "
        f"{_listed(usable)} usable answers."
    )


def _listed(numbers: Sequence[int]) -> str:
    """The numbers as `4, 8 and 12`; of many, the range."""
    if len(numbers) > MOST_LISTED:
        return f"{min(numbers)} to {max(numbers)} each"
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last


def _total(asks: Sequence[CallCount], beside: float) -> Total:
    """The sums of several counts: one cost or time that is not known makes the whole unknown."""
    usd, seconds = ([getattr(a, what) for a in asks] for what in ("usd", "seconds"))
    return Total(
        calls=sum(a.calls for a in asks),
        tokens=sum(a.tokens for a in asks),
        usd=None if None in usd else sum(usd),
        seconds=None if None in seconds else sum(seconds) + beside,
    )


def _notes(asks: Sequence[CallCount]) -> Iterator[str]:
    yield "Replies from an earlier start or a cache are not asked for again and not counted as calls."
    yield "Tokens are upper limits: every answer is counted at its full length."
    if not all(a.counted for a in asks):
        yield "Tokens with a ~ are estimates, from words or at four characters a token. The others are counted."
    unknown = sorted({a.model for a in asks if a.usd is None})
    if unknown:
        yield f"The price of {', '.join(unknown)} is unknown. Give it with --prices FILE."
