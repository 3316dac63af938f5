"""What each factor of a matrix did: paired differences to the reference setting, seeds as replicates, and the best."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from ratf.results.comparable import called, changed
from ratf.statistics.estimates import ALPHA, Estimate, clustered_mean, holm
from ratf.statistics.verdict import signed
from ratf.sweep.people import Together
from ratf.sweep.reading import CellScores, Group, by_person
from ratf.sweep.records import Best, FactorRow, SeedRow

Settings = Sequence[tuple[dict[str, Any], list[Group]]]
"""Each setting without its seed, with a group of replicates for each person."""
OF_QUESTIONS = ("questions", "data")


def effects(
    settings: Settings, factors: Mapping[str, Sequence[Any]], of: Together, arms: Sequence[str], metrics: Sequence[str]
) -> list[FactorRow]:
    """For each factor and each of its values but the first, what became of each arm's scores.

    A question's difference is the mean over all settings of the other factors that both values have. Holm's correction is
    over all rows of an arm and a metric.
    """
    found: list[FactorRow] = []
    for factor, values in factors.items():
        for value in values[1:]:
            pairs = list(_paired(settings, factor, values[0], value, of))
            note = _note(pairs)
            for metric in metrics:
                found += [_effect(factor, value, arm, metric, pairs, of, note) for arm in arms]
    for arm in arms:
        for metric in metrics:
            mine = [i for i, row in enumerate(found) if (row.arm, row.metric) == (arm, metric)]
            for i, p in zip(mine, holm([found[i].p for i in mine]), strict=True):
                found[i] = found[i].model_copy(update={"p_holm": p})
    return found


def _paired(settings: Settings, factor: str, reference: Any, value: Any, of: Together) -> Iterator[tuple[Group, Group]]:
    """Each person's groups with the reference value and with the other, all else being equal."""
    counted = {g.person for g in of.groups}
    for setting, groups in settings:
        if setting[factor] != reference:
            continue
        other = next((g for s, g in settings if s == {**setting, factor: value}), [])
        mine = {g.person: g for g in groups}
        yield from ((mine[g.person], g) for g in other if g.person in mine and g.person in counted)


def _note(pairs: Sequence[tuple[Group, Group]]) -> str:
    """What makes a factor's difference one of the measure rather than of the answers; empty where nothing does."""
    keys = {key for a, b in pairs for key in changed(a.first.measured, b.first.measured)} - set(OF_QUESTIONS)
    return f"measured otherwise: {', '.join(sorted(map(called, keys)))}" if keys else ""


def _effect(
    factor: str, value: Any, arm: str, metric: str, pairs: Sequence[tuple[Group, Group]], of: Together, note: str
) -> FactorRow:
    differences: dict[str, list[float]] = {}
    means: dict[str, list[float]] = {}
    for reference, other in pairs:
        if arm not in reference.first.scores or arm not in other.first.scores:
            continue
        before = by_person(reference.numbers(arm, metric), reference.person)
        after = by_person(other.numbers(arm, metric), other.person)
        for q in before.keys() & after.keys():
            differences.setdefault(q, []).append(after[q] - before[q])
            means.setdefault(q, []).append(after[q])
    if not differences:
        why = "no question is scored with both values"
        return FactorRow(factor=factor, value=value, arm=arm, metric=metric, mean=None, note=note or why)
    found = _over(differences, of)
    return FactorRow(
        factor=factor,
        value=value,
        arm=arm,
        metric=metric,
        mean=fmean(fmean(means[q]) for q in sorted(means)),
        difference=found.mean,
        low=found.low,
        high=found.high,
        p=found.p,
        questions=found.n,
        note=note,
    )


def _over(by_question: Mapping[str, Sequence[float]], of: Together) -> Estimate:
    cluster = of.cluster
    # a question that only another setting asks has no unit at the reference setting
    names = sorted(by_question)
    units = [cluster.get(q, q.partition("/")[0]) for q in names]
    found = clustered_mean([fmean(by_question[q]) for q in names], units)
    assert found is not None
    return found


def seeds(settings: Settings, arms: Sequence[str], metrics: Sequence[str]) -> list[SeedRow]:
    """How far each arm's mean moves from seed to seed: the root of the mean variance over people and settings."""
    found = []
    for metric in metrics:
        for arm in arms:
            variances, counts = [], []
            for _, groups in settings:
                for group in groups:
                    means = [m for c in group.cells if (m := _mean(c, arm, metric)) is not None]
                    if len(means) > 1:
                        centre = fmean(means)
                        variances.append(sum((m - centre) ** 2 for m in means) / (len(means) - 1))
                        counts.append(len(means))
            if variances:
                found.append(SeedRow(arm=arm, metric=metric, sd=math.sqrt(fmean(variances)), seeds=max(counts)))
    return found


def _mean(cell: CellScores, arm: str, metric: str) -> float | None:
    numbers = [s.value for s in cell.scores.get(arm, {}).get(metric, {}).values() if s.value is not None]
    return fmean(numbers) if numbers else None


def best(settings: Settings, of: Together, arm: str, metric: str, lower: bool) -> Best | None:
    """The setting with the best mean of an arm, over the questions that all settings have; None with fewer than two."""
    counted = {g.person for g in of.groups}
    by_setting = []
    for setting, groups in settings:
        numbers: dict[str, float] = {}
        for group in groups:
            if group.person in counted and arm in group.first.scores:
                numbers |= by_person(group.numbers(arm, metric), group.person)
        by_setting.append((setting, numbers))
    common = set.intersection(*(set(n) for _, n in by_setting)) if by_setting else set()
    if len(by_setting) < 2 or not common:
        return None
    names = sorted(common)
    means = [fmean(n[q] for q in names) for _, n in by_setting]
    top = (min if lower else max)(range(len(means)), key=lambda i: means[i])
    others = [i for i in range(len(means)) if i != top]
    found = [_over({q: [by_setting[top][1][q] - by_setting[i][1][q]] for q in names}, of) for i in others]
    corrected = holm([e.p for e in found])
    alike = [
        by_setting[i][0]
        for i, e, p in zip(others, found, corrected, strict=True)
        if p is None or p > ALPHA or e.low is None
    ]
    nearest = min(zip(others, found, strict=True), key=lambda pair: abs(pair[1].mean))[1]
    told = f"{signed(nearest.mean, nearest.low, nearest.high)} to the next, on {len(names)} questions"
    words = "not separable from any other setting" if len(alike) == len(others) else ""
    if alike and not words:
        words = f"not separable from {len(alike)} of {len(others)} other settings"
    return Best(
        metric=metric,
        arm=arm,
        setting=by_setting[top][0],
        mean=means[top],
        not_separable=alike,
        words=f"{words or 'better than every other setting'}; {told}",
    )
