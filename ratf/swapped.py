"""Memories that are not the person's for the question: another question's, or another person's."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from raft.files import read_made, write_made
from raft.memories import kept
from raft.progress import Progress, silent
from raft.rephrase import VERSION
from raft.types import Exchange, Memory
from ratf.arms import Shown
from ratf.prepare import Memories, later, memories, mind
from ratf.study import Study

ITSELF, UNFIT, SAME_INTERVIEW = 1e9, 1e4, 1.0
"""What a shuffle would rather not: a question's own memories, a memory that has to be left out, the same interview."""


def memories_shown(study: Study, shown: Shown, progress: Progress = silent) -> Memories:
    """The memories that arms of that kind read, by exchange. Only these are made, and once a study."""
    if shown == "none":
        return {}
    if shown == "own":
        return memories(study, progress)
    if shown == "shuffled":
        return shuffled(study, memories(study, progress))
    return _impostors(study, progress)


def shuffled(study: Study, mine: Memories) -> Memories:
    """Each asked question with the memories of another one, and likewise what was told before it.

    The questions swap among themselves, so that over all of them the memories stay the same, and only what they are
    about does not fit. What does not fit (see `fits`) is left out.
    """
    told = _told(study)
    found: Memories = {}
    for group in (study.held_out, [e for e in told if e not in study.held_out]):
        for exchange, donor in zip(group, donors(group, mine, study.suite.seed), strict=True):
            given = mine.get(group[donor].exchange_id, ()) if donor is not None else ()
            found[exchange.exchange_id] = tuple(m for m in given if fits(m, exchange, mine))
    return found


def donors(exchanges: Sequence[Exchange], mine: Memories, seed: int) -> list[int | None]:
    """For each exchange the place of another one, each once: by lot, but with as few memories left out, and then
    as few of the same interview, as can be. None for an exchange that is alone.
    """
    from scipy.optimize import linear_sum_assignment

    if len(exchanges) < 2:
        return [None for _ in exchanges]
    lot = np.random.default_rng([seed, 5]).random((len(exchanges), len(exchanges)))
    _, columns = linear_sum_assignment(_unwanted(exchanges, mine) + lot / len(exchanges))
    return [int(donor) for donor in columns]


def _unwanted(exchanges: Sequence[Exchange], mine: Memories) -> NDArray[np.float64]:
    """Row: who asks; column: whose memories they would be."""
    interviews = np.array([e.interview_id for e in exchanges])
    cost: NDArray[np.float64] = np.where(interviews[:, None] == interviews, SAME_INTERVIEW, 0.0)
    for column, donor in enumerate(exchanges):
        given = mine.get(donor.exchange_id, ())
        cost[:, column] += [UNFIT * sum(not fits(m, e, mine) for m in given) for e in exchanges]
    np.fill_diagonal(cost, ITSELF)
    return cost


def fits(memory: Memory, exchange: Exchange, mine: Memories) -> bool:
    """Whether a question may get another one's memory: older than its interview, and of no passage that it recalled itself.

    An undated memory, which the suite has allowed, counts as older.
    """
    day = exchange.date
    older = memory.date == "undated" or (day is not None and memory.date < day.isoformat())
    return older and memory.chunk_id not in {m.chunk_id for m in mine.get(exchange.exchange_id, ())}


def swap_note(study: Study) -> str:
    """What the shuffle could do, in a sentence."""
    mine = memories(study)
    chosen = [
        (e, study.held_out[d])
        for e, d in zip(study.held_out, donors(study.held_out, mine, study.suite.seed), strict=True)
        if d is not None
    ]
    elsewhere = sum(e.interview_id != d.interview_id for e, d in chosen)
    unfit = sum(not fits(m, e, mine) for e, d in chosen for m in mine.get(d.exchange_id, ()))
    return (
        f"Shuffled memories: {elsewhere} of {len(study.held_out)} questions have those of another interview's question; "
        f"{unfit} memories were left out, because they are not older than the question or its own as well."
    )


def _impostors(study: Study, progress: Progress) -> Memories:
    path, digest = study.folder / "memories-impostor.json", f"{study.digest}-{VERSION}"
    made = read_made(path, digest)
    if made is None:
        found = mind(study, progress, impostors=True)
        before = {} if study.suite.answers.history == "none" else study.before
        with progress("remembering as the impostors", 1, "steps") as advance:
            considered = asyncio.run(found.consider([] if later(study) else _told(study), before))
            advance(1)
        made = {key: [asdict(m) for m in kept(recalled)] for key, recalled in considered.items()}
        write_made(path, digest, made)
    return {key: tuple(Memory(**m) for m in found) for key, found in made.items()}


def _told(study: Study) -> list[Exchange]:
    """What is asked and, unless nothing is told before it, what stands in the prompt as said before."""
    before = (
        []
        if study.suite.answers.history == "none"
        else [t for e in study.held_out for t in study.before[e.exchange_id]]
    )
    return list({e.exchange_id: e for e in [*before, *study.held_out]}.values())
