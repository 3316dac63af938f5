"""Hindsight: what memories were worth to the real answer, as a measurement and as a filter of training samples."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from raft.memory.mind import Mind
from raft.memory.rephrase import extractive
from raft.models.kept import kept
from raft.models.waiting import result_of
from raft.models.weights import weights_digest
from raft.progress import Progress, silent
from raft.types import Exchange, Memory
from ratf.agents.memories import Memories, memories, memory_store
from ratf.models.chat import embedder
from ratf.models.recorded.recordings import digest_of
from ratf.models.recorded.replay import recorded_value
from ratf.results.results import Cell, Filtered, Retrieval
from ratf.statistics.estimates import Estimate, clustered_auc, clustered_mean
from ratf.suite.study import Study

READER = "smollm2-135m-instruct"


@dataclass(frozen=True)
class Passage:
    """A passage that a held-out question recalled.

    `kept` says whether the gate, from the question alone, let it through.
    """

    exchange: Exchange
    memory: Memory
    kept: bool


def reader(study: Study) -> str:
    """The model that reads the real answers: the suite's base model where it is local, else `READER`."""
    base = study.suite.models.base
    return base.removeprefix("local/") if base.startswith("local/") else READER


def wanted(study: Study) -> bool:
    """Whether the memories are measured: the suite asks for it or for the filter, and an arm recalls memories."""
    settings = study.suite.memories
    return study.suite.recalls and (settings.hindsight or settings.hindsight_filter)


def measure(study: Study, progress: Progress = silent) -> Retrieval:
    """The worth of the passages that the held-out questions recalled, and of the gate that chose among them."""
    return _summary(study, study.made("hindsight", lambda: _measure(study, progress)))


def for_training(study: Study, progress: Progress = silent) -> Memories:
    """The memories for training samples, by exchange; with the suite's filter only those with a gain above 0."""
    mine = memories(study, progress)
    if not study.suite.memories.hindsight_filter:
        return mine
    worth = _training_gains(study, mine, progress)
    return {
        key: tuple(m for m in found if worth[key][m.chunk_id] > 0) if key in worth else found
        for key, found in mine.items()
    }


def filtered(study: Study, progress: Progress = silent) -> Filtered | None:
    """The number of memories that the filter took out of training; None where it is off."""
    if not study.suite.memories.hindsight_filter:
        return None
    worth = _training_gains(study, memories(study, progress), progress)
    values = [gain for of_exchange in worth.values() for gain in of_exchange.values()]
    return Filtered(dropped=sum(gain <= 0 for gain in values), of=len(values))


def _training_gains(study: Study, mine: Memories, progress: Progress) -> dict[str, dict[str, float]]:
    """The gains by exchange and chunk, for training exchanges and those told before them; none of them is held out."""

    def measure() -> dict[str, dict[str, float]]:
        history = study.suite.answers.history != "none"
        told = [t for e in study.training for t in study.before[e.exchange_id]] if history else []
        exchanges = {e.exchange_id: e for e in [*told, *study.training]}
        pairs = [(e, m) for key, e in exchanges.items() for m in mine.get(key, ())]
        found: dict[str, dict[str, float]] = {key: {} for key in exchanges}
        for (exchange, memory), gain in zip(pairs, _gains(study, pairs, progress), strict=True):
            found[exchange.exchange_id][memory.chunk_id] = gain
        return found

    return study.made("hindsight-training", measure)


def _gains(study: Study, pairs: Sequence[tuple[Exchange, Memory]], progress: Progress) -> list[float]:
    about, words, name = study.person.about, study.suite.answers.max_words, reader(study)

    def read() -> list[float]:
        from raft.memory.hindsight import gains
        from raft.models.local import LocalModel, device

        asked = [about.model_dump(mode="json"), *([e.question, e.answer, asdict(m)] for e, m in pairs)]
        made = kept(
            "gains",
            ["1", name, weights_digest(name), device(), words, asked],
            lambda: {"gains": np.array(gains(LocalModel(name, progress), about, pairs, words, progress))},
        )
        return [float(gain) for gain in made["gains"]]

    contents = digest_of([about.introduction, *([e.question, e.answer, m.text, m.chunk_id] for e, m in pairs)])
    request = {"kind": "gains", "model": name, "pairs": len(pairs), "contents": contents, "words": words}
    found: list[float] = recorded_value(request, "hindsight", read)
    return found


def _recalled(study: Study) -> list[Passage]:
    """Every passage that a held-out question recalled, as a memory, including those that the gate refused.

    A refused passage was not rephrased; its sentences nearest the question stand for it.
    """
    settings = study.suite.memories
    encoder = embedder(study.suite.models.embedder)
    ungated = extractive(encoder, -1.0)
    mind = Mind(memory_store(study), encoder, ungated, settings.k)
    found = result_of(mind.remember(study.held_out, study.before))
    mine = memories(study)
    passages = []
    for exchange in study.held_out:
        kept = {m.chunk_id: m for m in mine.get(exchange.exchange_id, ())}
        for memory in found[exchange.exchange_id]:
            passages.append(Passage(exchange, kept.get(memory.chunk_id, memory), memory.chunk_id in kept))
    return passages


def _measure(study: Study, progress: Progress) -> list[dict[str, Any]]:
    from raft.memory.hindsight import shuffled

    passages = _recalled(study)
    kept = [(p.exchange, p.memory) for p in passages if p.kept]
    drawn = shuffled(kept, study.suite.seed)
    own = [(p.exchange, p.memory) for p in passages]
    found = _gains(study, [*own, *drawn], progress)
    rows = [
        {
            "exchange": p.exchange.exchange_id,
            "interview": p.exchange.interview_id,
            "chunk": p.memory.chunk_id,
            "similarity": p.memory.similarity,
            "kept": p.kept,
            "gain": gain,
        }
        for p, gain in zip(passages, found, strict=False)
    ]
    others = [
        {"exchange": e.exchange_id, "interview": e.interview_id, "chunk": m.chunk_id, "kept": None, "gain": gain}
        for (e, m), gain in zip(drawn, found[len(own) :], strict=True)
    ]
    return [*rows, *others]


def _summary(study: Study, made: list[dict[str, Any]]) -> Retrieval:
    own = [row for row in made if row["kept"] is not None]
    kept = [row for row in own if row["kept"]]
    refused = [row for row in own if not row["kept"]]
    others = [row for row in made if row["kept"] is None]
    groups = [row["interview"] for row in own]
    useful = [row["gain"] > 0 for row in own]
    by_gate = clustered_auc([float(row["kept"]) for row in own], useful, groups) if kept and refused else None
    return Retrieval(
        reader=reader(study),
        questions=len({row["exchange"] for row in own}),
        passages=len(own),
        kept=len(kept),
        useful=sum(useful),
        own=_mean(kept),
        refused=_mean(refused),
        shuffled=_mean(others),
        difference=_difference(kept, others),
        gate_auc=_cell(by_gate),
        similarity_auc=_cell(clustered_auc([row["similarity"] for row in own], useful, groups)),
        filtered=filtered(study),
    )


def _mean(rows: list[dict[str, Any]]) -> Cell:
    return _cell(clustered_mean([row["gain"] for row in rows], [row["interview"] for row in rows]))


def _difference(kept: list[dict[str, Any]], others: list[dict[str, Any]]) -> Cell:
    """The mean difference own - shuffled, paired by question, between the means over each question's memories."""
    paired = []
    for key, interview in {row["exchange"]: row["interview"] for row in kept}.items():
        one, two = ([row["gain"] for row in rows if row["exchange"] == key] for rows in (kept, others))
        if two:
            paired.append((sum(one) / len(one) - sum(two) / len(two), interview))
    return _cell(clustered_mean([d for d, _ in paired], [i for _, i in paired]))


def _cell(found: Estimate | None) -> Cell:
    if found is None:
        return Cell(mean=None, low=None, high=None, n=0, interviews=0, unscored=0)
    return Cell(mean=found.mean, low=found.low, high=found.high, n=found.n, interviews=found.clusters, unscored=0)
