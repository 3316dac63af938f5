"""What the deterministic scorers measure, computed for many texts at once and then looked up."""

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from raft.models import EMBEDDER
from raft.samples import shorten
from raft.weights import fetch
from ratf.models import embedder
from ratf.prepare import memories
from ratf.study import Study, opened
from ratf.style import Spoken, StyleIdentity

RUN_WORDS = 8
BERTSCORE_LAYER = 6
BERTSCORE_WORDS = 350
"""The encoder reads 512 tokens; longer texts are cut here, in sight, rather than in there."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Lookup(Generic[Key, Value]):
    """Values computed in batches and kept: ask for many at once, later for one at a time."""

    def __init__(self, compute: Callable[[list[Key]], Sequence[Value]]) -> None:
        self._compute = compute
        self._kept: dict[Key, Value] = {}

    def __call__(self, keys: Sequence[Key]) -> list[Value]:
        """The values of `keys`, in their order."""
        new = [key for key in dict.fromkeys(keys) if key not in self._kept]
        if new:
            self._kept.update(zip(new, self._compute(new), strict=True))
        return [self._kept[key] for key in keys]


Vector = NDArray[np.float32]


@cache
def vectors(model: str) -> Lookup[str, Vector]:
    """Texts to unit vectors."""
    return Lookup(lambda texts: list(embedder(model).embed(texts)))


@cache
def bertscores(model: str) -> Lookup[tuple[str, str], float]:
    """(answer, real answer) to BERTScore F (Zhang et al. 2020, arXiv 1904.09675), on the encoder's last layer (a hosted
    embedder shows no tokens: the embedded one then stands in)."""

    def compute(pairs: list[tuple[str, str]]) -> list[float]:
        from bert_score import BERTScorer

        from raft.local import device, quiet

        encoder = model if model.startswith("local/") else EMBEDDER
        with quiet():
            scorer = BERTScorer(
                model_type=str(fetch(encoder.removeprefix("local/"))), num_layers=BERTSCORE_LAYER, device=device()
            )
            cut = [(shorten(a, BERTSCORE_WORDS), shorten(b, BERTSCORE_WORDS)) for a, b in pairs]
            _, _, f = scorer.score([a for a, _ in cut], [b for _, b in cut], batch_size=32)
        return [float(x) for x in f]

    return Lookup(compute)


@cache
def held_out_vectors(digest: str) -> tuple[list[str], NDArray[np.float32]]:
    """The ids and vectors of all held-out real answers."""
    study = opened(digest)
    found = vectors(study.suite.models.embedder)([e.answer for e in study.held_out])
    return [e.exchange_id for e in study.held_out], np.stack(found)


def reciprocal_rank(digest: str, exchange_id: str, answer: str) -> float:
    """1 / the rank of the true answer, when all held-out answers are ordered by cosine with `answer`.

    Held-out answers that are as near as the true one share its rank at its worst.
    """
    names, real = held_out_vectors(digest)
    near = real @ vectors(opened(digest).suite.models.embedder)([answer])[0]
    return 1.0 / int((near >= near[names.index(exchange_id)] - 1e-6).sum())


@cache
def style(digest: str) -> Lookup[tuple[str, str | None], float]:
    """(answer, its interview if it is a real one) to P(the person is speaking).

    Learnt from interviews before the first held-out one, against the impostors'.
    """
    study = opened(digest)
    own = [Spoken(e.answer, e.interview_id, True) for e in study.earlier]
    others = [Spoken(e.answer, e.interview_id, False) for p in study.impostors for e in p.exchanges]
    return Lookup(StyleIdentity([*own, *others], study.suite.seed).probabilities)


@cache
def known_runs(digest: str) -> frozenset[tuple[str, ...]]:
    """Every run of 8 words in the person's writings and earlier answers, and in the memories."""
    study = opened(digest)
    texts = [d.text for d in study.person.documents if d.date is None or (study.cut and d.date < study.cut)]
    texts += [e.answer for e in study.earlier]
    path = study.folder / "memories.json"
    texts += [m.text for found in memories(study).values() for m in found] if path.is_file() else []
    return frozenset(run for text in texts for run in runs(text))


def runs(text: str) -> list[tuple[str, ...]]:
    """All runs of 8 words, without case and punctuation."""
    words = "".join(c if c.isalnum() else " " for c in text.casefold()).split()
    return [tuple(words[i : i + RUN_WORDS]) for i in range(len(words) - RUN_WORDS + 1)]


def warm(study: Study, answers: Sequence[tuple[str, str, str | None]], metrics: Sequence[str]) -> None:
    """Compute what (answer, real answer, its interview if given) need in a few large batches.

    The scorers then take no time, so that a judge's requests arrive together and share batches.
    """
    answers = [a for a in answers if a[0]]
    model = study.suite.models.embedder
    if {"embedding_cosine", "embedding_rank"} & set(metrics):
        vectors(model)([text for answer, real, _ in answers for text in (answer, real)])
    if "embedding_rank" in metrics:
        held_out_vectors(study.digest)
    if "bertscore" in metrics:
        bertscores(model)([(answer, real) for answer, real, _ in answers])
    if "style_identity" in metrics:
        style(study.digest)([(answer, group) for answer, _, group in answers])
    if "copying" in metrics:
        known_runs(study.digest)
    if {"rouge_1", "rouge_2", "rouge_l"} & set(metrics):
        rouges([(answer, real) for answer, real, _ in answers])


def _rouge(pairs: list[tuple[str, str]]) -> list[dict[str, float]]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    return [{kind: s.fmeasure for kind, s in scorer.score(real, answer).items()} for answer, real in pairs]


rouges: Lookup[tuple[str, str], dict[str, float]] = Lookup(_rouge)
"""(answer, real answer) to Google's ROUGE F values with its stemmer (rouge-score)."""
