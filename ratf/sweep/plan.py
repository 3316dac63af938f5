"""The plan of a sweep: what its cells take together, and what all people together can show, before anything is spent."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ratf.models.known import lacking, must_be_known
from ratf.models.prices import Prices
from ratf.results.record import Record
from ratf.runner.calls import CallCount
from ratf.runner.plan import MOST_LISTED, Plan, Total, plan
from ratf.statistics.power import Smallest, smallest_differences
from ratf.suite.arms import ARMS
from ratf.suite.study import Study
from ratf.sweep.page import setting_words
from ratf.sweep.people import FEW_PEOPLE
from ratf.sweep.sweep import Sweep, settings_of


class SettingPlan(Record):
    """What the cells of one setting take, all people and seeds together."""

    setting: dict[str, Any]
    cells: int
    least: Total
    most: Total


class SweepPlan(Record):
    """A sweep before it begins."""

    suite: str
    people: list[str]
    uneven: list[str]
    """How many questions each held-out interview gives, and why, for each person and split where that is not plain."""
    cells: int
    settings: list[SettingPlan]
    least: Total
    """What it takes if no judge passes its exam."""
    most: Total
    """What it takes if every judge passes its exam."""
    shared: int
    """The calls that a cell makes like an earlier one; they are made once, and are in no sum."""
    rates: str
    over: str
    smallest: list[Smallest]
    """What the primary comparison of all people together cannot show."""
    notes: list[str]


def plan_of(sweep: Sweep, prices: Prices) -> SweepPlan:
    """Plan every cell, with what cells share counted once. Raises DataError with everything that is wrong with people or models."""
    of_settings, made, studies = [], [], []
    lacks: dict[str, None] = {}
    seen: set[str] = set()
    shared = 0
    for setting, cells in settings_of(sweep):
        mine: list[Plan] = []
        for cell in cells:
            study = sweep.study(cell)
            must_be_known(study, to_run=False)
            lacks |= dict.fromkeys(lacking(study).splitlines())
            alone = plan(study, prices)
            again = [ask for ask in alone.asks if (key := _asked(study, ask)) and key in seen]
            seen |= {key for ask in alone.asks if (key := _asked(study, ask))}
            shared += sum(ask.calls for ask in again)
            mine.append(_less(alone, again))
            if all(cell.setting[k] == v for k, v in sweep.reference.items()):
                studies.append(study)
        of_settings.append(
            SettingPlan(
                setting=setting, cells=len(mine), least=_sum([p.least for p in mine]), most=_sum([p.most for p in mine])
            )
        )
        made += mine
    first = sweep.cells[0].suite.primary
    over, sizes = _units(studies)
    return SweepPlan(
        suite=sweep.name,
        people=sweep.people,
        uneven=list(dict.fromkeys(p.uneven for p in made if p.uneven)),
        cells=len(made),
        settings=of_settings,
        least=_sum([p.least for p in made]),
        most=_sum([p.most for p in made]),
        shared=shared,
        rates=made[0].rates,
        over=over,
        smallest=smallest_differences(sizes, first.metrics, [(first.better, first.than)], None),
        notes=[
            *(f"This cannot run here: {line}" for line in lacks),
            *made[0].notes,
            *(
                [f"{shared:,} calls are those of an earlier cell, whose replies are taken; they are counted once."]
                * bool(shared)
            ),
        ],
    )


def _asked(study: Study, ask: CallCount) -> str:
    """All that the requests of a count are made from; empty where they are those of one cell alone, as far as one knows."""
    suite, keys = study.suite, {"split", "answers", "models", "seed", "allow_undated"}
    own = suite.own_arm(ask.who)
    if ask.role == "answers" and own is not None:
        if not own.model:
            return ""
        keys |= {"memories"} if own.memories != "none" else set()
    elif ask.role == "answers":
        arm = ARMS[ask.who]
        keys |= {"training"} if arm.training != "none" else set()
        keys |= {"memories"} if arm.memories != "none" or arm.training == "ft+mem" else set()
        keys |= {"impostors"} if arm.memories == "impostor" else set()
    elif ask.role == "tuning":
        keys |= {"training"} if ask.who == "ft" else {"training", "memories"}
    elif ask.role == "rephraser":
        keys = (keys | {"memories", "impostors", "arms"}) - {"seed"}
    elif ask.role not in ("control", "contamination"):
        return ""  # what a judge reads are answers, which differ from cell to cell
    made_from = suite.model_dump(mode="json", include=keys)
    return json.dumps([study.data_digest, suite.person, ask.role, ask.who, ask.model, made_from], sort_keys=True)


def _less(whole: Plan, again: list[CallCount]) -> Plan:
    """A plan without counts that were in an earlier one."""

    def less(total: Total) -> Total:
        usd, seconds = ([getattr(ask, what) or 0.0 for ask in again] for what in ("usd", "seconds"))
        return Total(
            calls=total.calls - sum(ask.calls for ask in again),
            tokens=total.tokens - sum(ask.tokens for ask in again),
            usd=None if total.usd is None else total.usd - sum(usd),
            seconds=None if total.seconds is None else total.seconds - sum(seconds),
        )

    return whole.model_copy(update={"least": less(whole.least), "most": less(whole.most)})


def _units(studies: list[Study]) -> tuple[str, list[int]]:
    """What intervals will be over, and the questions of each unit: of each person, or of each interview."""
    people = {s.person.key: s for s in studies}
    if len(people) >= FEW_PEOPLE:
        return "people", [len(s.held_out) for s in people.values()]
    return "interviews", [n for s in people.values() for n in Counter(e.interview_id for e in s.held_out).values()]


def _sum(totals: list[Total]) -> Total:
    usd, seconds = ([getattr(t, what) for t in totals] for what in ("usd", "seconds"))
    return Total(
        calls=sum(t.calls for t in totals),
        tokens=sum(t.tokens for t in totals),
        usd=None if None in usd else round(sum(usd), 6),
        seconds=None if None in seconds else round(sum(seconds), 1),
    )


def lines(made: SweepPlan) -> Iterator[str]:
    """The plan as the command prints it."""
    yield f"{made.suite}: {made.cells} cells; {', '.join(made.people)}"
    yield from made.uneven[:MOST_LISTED]
    if (others := len(made.uneven) - MOST_LISTED) > 0:
        yield f"… and {others} more lines like these; --json has them."
    yield ""
    judged = made.least != made.most
    for one in made.settings:
        more = f"; if every judge passes its exam: {_told(one.most)}" if judged else ""
        yield f"{setting_words(one.setting)} ({one.cells} cell{'s' if one.cells > 1 else ''}): {_told(one.least)}{more}"
    yield ""
    yield f"in all{', if every judge fails its exam at once' if judged else ''}: {_told(made.least)}"
    if judged:
        yield f"in all, if every judge passes it: {_told(made.most)}"
    yield f"Times are estimates, one cell after another, from {made.rates}; --workers and --shard divide them."
    yield from made.notes
    yield ""
    for s in made.smallest:
        least = "n/a" if s.difference is None else f"{s.difference:.2f}"
        yield (
            f"all together, with intervals over {made.over}, cannot show a difference in {s.metric} under {least} "
            f"({s.a} - {s.b}; standard deviation of paired differences {s.sd:.2f}, ICC {s.icc:.2f}: {s.source})"
        )
    yield "with 80 % power at the 5 % level. --json has everything."


def _told(total: Total) -> str:
    cost = "cost unknown" if total.usd is None else f"cost ${total.usd:.2f}"
    seconds = total.seconds
    time = "unknown" if seconds is None else f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return f"{total.calls:,} calls, {total.tokens:,} tokens, {cost}, time {time}"
