"""Whether two runs measured the same thing, and by what they differ."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from raft.text import plain
from ratf.results.lazy import Stored
from ratf.results.results import Results, dumped

NOT_MEASURING = ("name", "seed", "primary", "arms", "own", "controls", "metrics", "own_metrics")
"""The settings that change no score of an arm on a metric that both runs have, except by chance (the seed)."""


def flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting of nested settings as its dotted name, as `split.questions`, and its value."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


OF_SYSTEM = ("models.base", "training", "memories", "answers", "split.training_exchanges")
"""The settings that make a system. All others say what is measured, also those that a later version adds."""


SAID_BEFORE = "answers.history"
"""The one answer setting that changes the question, hence what is measured."""


VERSIONS = ("ratf", "rouge-score", "scikit-learn")
"""The packages whose version changes scores."""


NAMED = 6
"""The greatest number of changed things that are named; the rest are counted."""


class Compared(Protocol):
    """The part of a run or of its snapshot that says whether it measured the same as another."""

    @property
    def suite(self) -> dict[str, Any]:
        """The settings of its suite."""

    @property
    def data_digest(self) -> str:
        """The digest of the people's data."""

    @property
    def prompts_digest(self) -> str:
        """The digest of the prompts, that is of all text that is put around a question."""

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """What each metric means."""


class WithAdapters(Compared, Protocol):
    """A `Compared` that also knows the digests of the tuned arms' adapters, as a snapshot does."""

    @property
    def adapters(self) -> dict[str, str]:
        """The digests of each tuned arm's adapter, by arm."""


def run_digest(results: Results) -> str:
    """The SHA-256 of a run's `results.json`, by which the run is identified everywhere."""
    if isinstance(results.questions, Stored):  # they are in their file alone
        return results.questions.digest()
    return hashlib.sha256(dumped(results)).hexdigest()


def measured(results: Results) -> dict[str, Any]:
    """Everything that two runs must have in common to stand in one table."""
    settings = {key: value for key, value in flat(results.suite) if not _free(key)}
    facts = {name: how_measured(about) for name, about in results.metrics.items()}
    versions = {f"version of {p}": results.environment[p] for p in VERSIONS if p in results.environment}
    return {**settings, "data": results.data_digest, "prompts": results.prompts_digest, "metrics": facts, **versions}


def how_measured(about: Mapping[str, Any]) -> dict[str, Any]:
    """A metric's facts without the words that describe it. Where these are equal, two metrics measure the same."""
    return {key: value for key, value in about.items() if key != "words"}


def measured_by(measured: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """The part of what `measured` gives that two runs must share for their scores on one metric to be compared."""
    facts = {key: value for key, value in measured.items() if key != "metrics"}
    return {**facts, "how this metric is worked out": measured["metrics"].get(metric)}


def _free(key: str) -> bool:
    if key == SAID_BEFORE:
        return False
    return any(key == f or key.startswith(f"{f}.") for f in (*NOT_MEASURING, *OF_SYSTEM))


def changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys in which two results of `measured` differ, sorted."""
    return [k for k in sorted(was.keys() | now.keys()) if was.get(k) != now.get(k)]


def called(key: str) -> str:
    """The words for a key of `measured`; the key itself where it needs none."""
    return {
        "models.grader": "the judge",
        "rubrics": "the judges' rubrics",
        "data": "the data's digest",
        "prompts": "the prompts' digest",
        "questions": "the digest of questions and real answers",
    }.get(key, key)


def differs(key: str, was: Any, now: Any) -> str:
    """A clause that says how two runs differ in one key of `measured`."""
    if key == "metrics":
        was, now = was or {}, now or {}
        return f"other metrics ({', '.join(changed(was, now))})"
    return f"{called(key)} was {_short(was)} and is {_short(now)}"


def _short(value: Any, quoted: bool = False) -> str:
    text = value if isinstance(value, str) and not quoted else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why two runs cannot be compared, in words, from what `measured` gives for each; empty where they can be."""
    keys = [called(key) for key in changed(before, after)]
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"not comparable from here on, another measure: {', '.join(keys[:NAMED])}{more}" if keys else ""


def differences(run: Compared, baseline: Compared, may_differ: tuple[str, ...]) -> list[str]:
    """Everything by which two runs did not measure the same, one sentence each, without settings in `may_differ`."""
    found = []
    for what in ("data_digest", "prompts_digest"):
        now, then = getattr(run, what), getattr(baseline, what)
        if now != then:
            found.append(f"the {what.partition('_')[0]} differ (digest {then or 'unknown'}, now {now or 'unknown'})")
    was, here = dict(flat(baseline.suite)), dict(flat(run.suite))
    for key in sorted(was.keys() | here.keys()):
        free = (*NOT_MEASURING, *may_differ)
        if was.get(key) != here.get(key) and not any(key == f or key.startswith(f"{f}.") for f in free):
            name = "the judge, models.grader," if key == "models.grader" else key
            found.append(f"{name} was {_short(was.get(key), quoted=True)} and is {_short(here.get(key), quoted=True)}")
    for metric in sorted(run.metrics.keys() & baseline.metrics.keys()):
        was, here = (how_measured(r.metrics[metric]) for r in (baseline, run))
        if was != here:
            found.append(f"{metric} is measured in another way than in the reference run")
    return found


def settings_changed(now: WithAdapters, then: WithAdapters) -> list[tuple[str, str, str]]:
    """Every setting, digest and adapter in which two runs differ, as (key, was, is), even if it changes no score."""

    def facts(run: WithAdapters) -> dict[str, Any]:
        digests = {"data (digest)": run.data_digest, "prompts (digest)": run.prompts_digest}
        adapters = {f"adapter of {arm}": run.adapters[arm] for arm in both if arm in run.adapters}
        return {**digests, **adapters, **dict(flat(run.suite))}

    both = list(now.adapters) if then.adapters else []  # baseline files of earlier versions have no adapters
    was, here = facts(then), facts(now)
    keys = [k for k in dict.fromkeys([*here, *was]) if was.get(k, _ABSENT) != here.get(k, _ABSENT)]
    return [(key, _in_words(was.get(key, _ABSENT)), _in_words(here.get(key, _ABSENT))) for key in keys]


_ABSENT = object()


def _in_words(value: object) -> str:
    """A setting's value as text of at most 120 characters."""
    if value is _ABSENT:
        return "not there"
    text = plain(", ".join(map(str, value)) if isinstance(value, list) else "none" if value is None else str(value))
    return text if len(text) <= 120 else f"{text[:117]}…"
