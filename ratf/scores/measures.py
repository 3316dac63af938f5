"""What the deterministic scorers measure, computed for many texts at once and then looked up."""

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from raft.files import read_made, write_made
from raft.models.names import EMBEDDER
from ratf.agents.memories import memories
from ratf.models.chat import embedder
from ratf.results.exams import Evidence
from ratf.scores.style import Spoken, StyleIdentity
from ratf.suite.study import Study, opened

RUN_WORDS = 8
BERTSCORE_PAIRS = 32
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

    def keep(self, key: Key, value: Value) -> None:
        """A value that something else has computed on its way."""
        self._kept.setdefault(key, value)


Vector = NDArray[np.float32]


@runtime_checkable
class ReadsTokens(Protocol):
    """An embedder that tells each token's vector as well, as BERTScore needs it."""

    def embed_tokens(self, texts: Sequence[str]) -> tuple[Vector, list[Vector]]:
        """Unit vectors of the texts, and the vectors of their tokens."""


@cache
def vectors(model: str) -> Lookup[str, Vector]:
    """Texts to unit vectors."""
    return Lookup(lambda texts: list(embedder(model).embed(texts)))


def _tokens(model: str, texts: list[str]) -> list[Vector]:
    """The texts' token vectors. Their own vectors come from the same pass and are kept."""
    encoder = embedder(model)
    assert isinstance(encoder, ReadsTokens)
    rows, tokens = encoder.embed_tokens(texts)
    for text, row in zip(texts, rows, strict=True):
        vectors(model).keep(text, row)
    return tokens


@cache
def real_tokens(model: str) -> Lookup[str, Vector]:
    """Real answers to their token vectors: every arm is compared with them again."""
    return Lookup(lambda texts: _tokens(model, texts))


@cache
def bertscores(model: str) -> Lookup[tuple[str, str], float]:
    """(answer, real answer) to BERTScore F (Zhang et al. 2020, arXiv 1904.09675), on the encoder's last layer (a hosted
    embedder shows no tokens: the embedded one then stands in)."""

    def compute(pairs: list[tuple[str, str]]) -> list[float]:
        encoder = model if model.startswith("local/") else EMBEDDER
        references = real_tokens(encoder)([real for _, real in pairs])
        answers = list(dict.fromkeys(answer for answer, _ in pairs))
        read = dict(zip(answers, _tokens(encoder, answers), strict=True))
        candidates = [read[answer] for answer, _ in pairs]
        found: list[float] = []
        for start in range(0, len(pairs), BERTSCORE_PAIRS):
            part = slice(start, start + BERTSCORE_PAIRS)
            found += _greedy(references[part], candidates[part])
        return found

    return Lookup(compute)


def _greedy(references: list[Vector], candidates: list[Vector]) -> list[float]:
    """F of bert-score's greedy matching: every token weighs the same, the marks at both ends nothing."""
    import torch
    from bert_score.utils import greedy_cos_idf

    def padded(texts: list[Vector]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows = torch.nn.utils.rnn.pad_sequence([torch.tensor(t) for t in texts], batch_first=True)
        mask = torch.arange(rows.shape[1])[None] < torch.tensor([len(t) for t in texts])[:, None]
        rows[~mask] = 1.0  # padding is masked, but must not be divided by its length 0
        weights = mask.float()
        weights[:, 0] = 0.0
        weights[range(len(texts)), [len(t) - 1 for t in texts]] = 0.0
        return rows, mask, weights

    _, _, f = greedy_cos_idf(*padded(references), *padded(candidates))
    return [float(x) for x in f]


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
    return Lookup(style_model(digest).probabilities)


@cache
def style_model(digest: str) -> StyleIdentity:
    """Trained once a study."""
    study = opened(digest)
    own = [Spoken(e.answer, f"{study.person.key}/{e.interview_id}", True) for e in study.earlier]
    others = [Spoken(e.answer, f"{p.key}/{e.interview_id}", False) for p in study.impostors for e in p.exchanges]
    return StyleIdentity([*own, *others], study.suite.seed)


def style_evidence(study: Study) -> list[Evidence]:
    """The words and n-grams that give the verdict; kept, so that a later report trains nothing."""
    path = study.folder / "style.json"
    made = read_made(path, study.digest)
    if made is None:
        made = [e.model_dump() for e in style_model(study.digest).evidence()]
        write_made(path, study.digest, made)
    return [Evidence(**e) for e in made]


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
    if "bertscore" in metrics:  # first: its passes give the vectors of the next two as well
        bertscores(model)([(answer, real) for answer, real, _ in answers])
    if {"embedding_cosine", "embedding_rank"} & set(metrics):
        vectors(model)([text for answer, real, _ in answers for text in (answer, real)])
    if "embedding_rank" in metrics:
        held_out_vectors(study.digest)
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
