"""What the deterministic scorers measure, computed for many texts at once and then looked up."""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache, lru_cache, partial
from types import SimpleNamespace
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import regex
from numpy.typing import NDArray

from raft.errors import RaftError
from raft.files import read_made
from raft.memory.rephrase import VERSION
from raft.models.kept import kept
from raft.models.names import EMBEDDER
from raft.text import by_script, count_words, folded
from raft.text import runs as runs_of
from ratf.edits.rules import NotExamined, Rules, rules_for
from ratf.edits.sentences import sentences
from ratf.edits.spans import names_in
from ratf.models.chat import embedder
from ratf.scores.coverage import Beside, Facts, Reals, facts
from ratf.scores.nli import Agreement, CrossEncoder, Labelled, agreements
from ratf.suite.study import Study

RUN_WORDS = 8
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_ROUGE_WORD = regex.compile(r"[\p{L}\p{M}\p{Nd}]+")
BERTSCORE_PAIRS = 32
NO_FACTS = "the real answer has no number, date or name"
NO_RULES = "there are no rules for this language, so no numbers, dates and names are known"
NO_INFERENCE = "a sentence is too long for the model of inference, or there is none"
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

    def known(self, key: Key) -> Value:
        """A value that was computed before. Raises RaftError where it was not: a scorer computes nothing."""
        if key not in self._kept:
            raise RaftError(
                "a scorer was asked for what was not worked out before; call ratf.scores.measures.warm first"
            )
        return self._kept[key]

    def keep(self, key: Key, value: Value) -> None:
        """A value that something else has computed on its way."""
        self._kept.setdefault(key, value)


Vector = NDArray[np.float32]


@runtime_checkable
class ReadsTokens(Protocol):
    """An embedder that tells each token's vector as well, as BERTScore needs it."""

    def embed_tokens(self, texts: Sequence[str]) -> tuple[Vector, list[Vector]]:
        """Unit vectors of the texts, and the vectors of their tokens."""


class TextMeasures:
    """Measures that read an answer and a real answer and nothing else, with one embedder.

    Each is a `Lookup`: ask for many at once, later for one at a time.
    """

    def __init__(
        self,
        embedder_name: str,
        nli: str | None = None,
        rules: Callable[[str], Rules | NotExamined] = lambda real: rules_for([real]),
    ) -> None:
        self._name, self._rules = embedder_name, rules
        # a hosted embedder shows no tokens: the embedded one then stands in for BERTScore
        self._token_encoder = embedder_name if embedder_name.startswith("local/") else EMBEDDER
        self.vectors: Lookup[str, Vector] = Lookup(lambda texts: list(embedder(self._name).embed(texts)))
        """Texts to unit vectors of the embedder."""
        self._real_tokens: Lookup[str, Vector] = Lookup(self._tokens)
        self.bertscores: Lookup[tuple[str, str], float] = Lookup(self._bertscores)
        """(answer, real answer) to BERTScore F (Zhang et al. 2020, arXiv 1904.09675), on the encoder's last layer."""
        self.facts: Lookup[tuple[str, str], Facts | NotExamined | None] = Lookup(self._facts)
        """(answer, real answer) to the facts of the real one in it, by the rules of the real answer's language."""
        self._inferred: Lookup[tuple[str, str], Labelled | None] = Lookup(CrossEncoder(nli or "none"))
        self.agreements: Lookup[tuple[str, str], Agreement | None] = Lookup(
            lambda pairs: agreements(pairs, self._inferred, self.vectors)
        )
        """(answer, real answer) to what the model of inference `nli` says of their sentences."""
        self.rouges: Lookup[tuple[str, str], dict[str, float]] = Lookup(_rouge)
        """(answer, real answer) to Google's ROUGE F values with its stemmer (rouge-score)."""

    def _tokens(self, texts: list[str]) -> list[Vector]:
        """The texts' token vectors. Where the embedder is the token encoder, their own vectors are kept as well."""
        encoder = embedder(self._token_encoder)
        assert isinstance(encoder, ReadsTokens)
        rows, tokens = encoder.embed_tokens(texts)
        self._keep_rows(texts, rows)
        return tokens

    def _keep_rows(self, texts: Sequence[str], rows: Vector) -> None:
        if self._token_encoder == self._name:
            for text, row in zip(texts, rows, strict=True):
                self.vectors.keep(text, row)

    def _bertscores(self, pairs: list[tuple[str, str]]) -> list[float]:
        # real answers are kept, because every arm is compared with them again
        references = self._real_tokens([real for _, real in pairs])
        answers = list(dict.fromkeys(answer for answer, _ in pairs))
        encoder = embedder(self._token_encoder)
        assert isinstance(encoder, ReadsTokens)

        def make() -> dict[str, NDArray[Any]]:
            rows, tokens = encoder.embed_tokens(answers)
            read = dict(zip(answers, tokens, strict=True))
            candidates = [read[answer] for answer, _ in pairs]
            found: list[float] = []
            for start in range(0, len(pairs), BERTSCORE_PAIRS):
                part = slice(start, start + BERTSCORE_PAIRS)
                found += _greedy(references[part], candidates[part])
            return {"scores": np.array(found), "rows": rows}

        # the controls' answers are the same for each seed and setting
        made_by = getattr(encoder, "made_by", None)
        made = kept("bertscores", [*made_by, pairs], make) if made_by else make()
        self._keep_rows(answers, made["rows"])
        return [float(score) for score in made["scores"]]

    def _facts(self, pairs: list[tuple[str, str]]) -> list[Facts | NotExamined | None]:
        rules = {real: self._rules(real) for real in dict.fromkeys(real for _, real in pairs)}
        known = {real: names_in((real,), r) for real, r in rules.items() if isinstance(r, Rules)}
        told = [(pair, r) for pair in pairs if isinstance(r := rules[pair[1]], Rules)]
        # in one go, since the next line but one asks pair by pair
        self.vectors([s for pair, r in told for text in pair for s in sentences(text, r.abbreviations)])
        found = {pair: facts([pair], r, self.vectors, known[pair[1]])[0] for pair, r in told}
        return [r if isinstance(r := rules[pair[1]], NotExamined) else found[pair] for pair in pairs]

    def warm(self, pairs: Sequence[tuple[str, str]], metrics: Sequence[str]) -> None:
        """Compute what these metrics need of pairs (answer, real answer), in a few large batches."""
        if "bertscore" in metrics:  # first: its passes give the vectors of the next two as well
            self.bertscores(pairs)
        if {"embedding_cosine", "embedding_rank"} & set(metrics):
            self.vectors([text for pair in pairs for text in pair])
        if "facts" in metrics:
            self.facts(pairs)
        if "nli" in metrics:
            self.agreements(pairs)
        if {"rouge_1", "rouge_2", "rouge_l"} & set(metrics):
            self.rouges(pairs)


Parts = tuple[float, dict[str, float]]
"""A score, and the numbers that it was put together from."""


OfTexts = Callable[[TextMeasures, str, str], float | Parts | str | None]
"""(what has been worked out, answer, real answer) to a score; why, or None, where the answer cannot be scored."""


def _of_rouge(kind: str) -> OfTexts:
    return lambda texts, answer, real: texts.rouges.known((answer, real))[kind]


def _cosine(texts: TextMeasures, answer: str, real: str) -> float:
    return float(texts.vectors.known(answer) @ texts.vectors.known(real))


def _bertscore(texts: TextMeasures, answer: str, real: str) -> float | None:
    score = texts.bertscores.known((answer, real))
    return score if math.isfinite(score) else None


def _facts(texts: TextMeasures, answer: str, real: str) -> Parts | str | None:
    found = texts.facts.known((answer, real))
    if isinstance(found, NotExamined):
        return NO_RULES
    if found is None:
        return None
    if found.score is None:
        return NO_FACTS
    counts = {"agreed": found.agreed, "contradicted": found.contradicted, "missing": found.missing}
    return found.score, {kind: float(count) for kind, count in counts.items()}


def nli(study: Study, answer: str, real: str) -> Parts | str:
    """How far the answer and the real one follow from each other, by the suite's model of inference; why not, where not."""
    found = text_measures(study).agreements.known((answer, real))
    return NO_INFERENCE if found is None else (found.score, {"recall": found.recall, "precision": found.precision})


def _length(texts: TextMeasures, answer: str, real: str) -> float:
    return count_words(answer) / count_words(real)


OF_TEXTS: dict[str, OfTexts] = {
    "rouge_1": _of_rouge("rouge1"),
    "rouge_2": _of_rouge("rouge2"),
    "rouge_l": _of_rouge("rougeL"),
    "embedding_cosine": _cosine,
    "bertscore": _bertscore,
    "facts": _facts,
    "length_ratio": _length,
}
"""The metrics that read an answer and the real answer, and nothing else. `TextMeasures.warm` comes before them."""


def text_measures(study: Study) -> TextMeasures:
    """The measures of texts with the study's embedder."""

    def make() -> TextMeasures:
        models, rules = study.suite.models, rules_for([e.answer for e in study.held_out])
        return TextMeasures(models.embedder, models.nli, lambda real: rules)

    return study.held("text measures", make)


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


def held_out_vectors(study: Study) -> tuple[list[str], NDArray[np.float32]]:
    """The ids and vectors of all held-out real answers."""

    def make() -> tuple[list[str], NDArray[np.float32]]:
        found = text_measures(study).vectors([e.answer for e in study.held_out])
        return [e.exchange_id for e in study.held_out], np.stack(found)

    return study.held("held-out vectors", make)


def reciprocal_rank(study: Study, exchange_id: str, answer: str) -> float:
    """1 / the rank of the true answer, when all held-out answers are ordered by cosine with `answer`.

    Held-out answers that are as near as the true one share its rank at its worst.
    """
    names, real = held_out_vectors(study)
    near = real @ text_measures(study).vectors.known(answer)
    return 1.0 / int((near >= near[names.index(exchange_id)] - 1e-6).sum())


def asked(study: Study, exchange_id: str) -> str:
    """The words of a held-out question; empty for an id that is none's."""
    of: dict[str, str] = study.held("asked", lambda: {e.exchange_id: e.question for e in study.held_out})
    return of.get(exchange_id, "")


def coverage(study: Study, beside: Beside) -> Parts | None:
    """What an answer covers of the real one, less what it covers of the person's real answers in other interviews.

    So one text that is said to every question has 0, whatever it says. The score is a difference of two F values of
    `Reals`; the parts are recall and precision of the real answer, and `elsewhere`, what is taken off. None where a side
    has no sentence.
    """
    return _coverages(study).known(beside)


def _coverages(study: Study) -> Lookup[Beside, Parts | None]:
    return study.held("coverages", lambda: Lookup(lambda answers: _specific(study, answers)))


def _specific(study: Study, answers: Sequence[Beside]) -> list[Parts | None]:
    look, held_out = text_measures(study).vectors, study.held_out
    reals = study.held("reals", lambda: Reals([(e.question, e.answer) for e in held_out], look))
    place = {(e.question, e.answer): i for i, e in reversed(list(enumerate(held_out)))}
    look([s for text in dict.fromkeys(b.answer for b in answers) for s in sentences(text)])
    found: list[Parts | None] = []
    for b in answers:
        everywhere, at = reals.covered_by(b.answer), place.get((b.question, b.real))
        own = Reals([(b.question, b.real)], look).covered_by(b.answer)[0] if at is None else everywhere[at]
        here = None if at is None else held_out[at].interview_id
        others = [c.f for c, e in zip(everywhere, held_out, strict=True) if c and e.interview_id != here]
        # with a single interview nothing is known of others
        elsewhere = float(np.mean(others)) if others else 0.0
        parts = own and {"recall": own.recall, "precision": own.precision, "elsewhere": elsewhere}
        found.append((own.f - elsewhere, parts) if own and parts else None)
    return found


def known_runs(study: Study) -> frozenset[tuple[str, ...]]:
    """Every run of 8 words in the person's writings and earlier answers, and in the memories where there are any."""

    def find() -> frozenset[tuple[str, ...]]:
        texts = [d.text for d in study.person.documents if d.date is None or (study.cut and d.date < study.cut)]
        texts += [e.answer for e in study.earlier]
        made = read_made(study.folder / "memories.json", f"{study.digest}-{VERSION}") or {"memories": {}}
        texts += [m["text"] for found in made["memories"].values() for m in found]
        return frozenset(run for text in texts for run in runs(text))

    return study.held("known runs", find)


def copied(study: Study, text: str, memories: Iterable[str]) -> float | None:
    """The share of the text's runs of 8 words in what was learnt from, or in the memories that were shown for it alone."""
    of_text, known = runs(text), known_runs(study)
    own = {run for memory in memories for run in runs(memory)}
    return sum(run in known or run in own for run in of_text) / len(of_text) if of_text else None


def runs(text: str) -> list[tuple[str, ...]]:
    """All runs of 8 words, without case and punctuation."""
    return runs_of(by_script(_WORD.findall(folded(text).casefold())), RUN_WORDS)


def warm(study: Study, answers: Sequence[Beside], metrics: Sequence[str]) -> None:
    """Compute what these answers need in a few large batches.

    The scorers then take no time, so that a judge's requests arrive together and share batches.
    """
    answers = [b for b in answers if b.answer]
    text_measures(study).warm([(b.answer, b.real) for b in answers], metrics)
    if "sentence_coverage" in metrics:
        _coverages(study)(answers)
    if "embedding_rank" in metrics:
        held_out_vectors(study)
    if "copying" in metrics:
        known_runs(study)


class _RougeWords:
    """The words of any script, for rouge-score, whose own tokenizer knows `a-z` and `0-9` and nothing else.

    A word of those alone is its stem, as rouge-score has it; any other is itself, in lower case; one of a script
    without spaces is its characters.
    """

    def __init__(self) -> None:
        from rouge_score.tokenize import tokenize

        self._tokenize = partial(tokenize, stemmer=SimpleNamespace(stem=_stem))

    def tokenize(self, text: str) -> list[str]:
        """The words in order."""
        if text.isascii():
            return list(self._tokenize(text))
        words = by_script(_ROUGE_WORD.findall(folded(text).lower()))
        return [t for w in words for t in (self._tokenize(w) if w.isascii() else [w])]


@cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    """The word's Porter stem, kept: texts repeat their words, and finding a stem takes long."""
    stem: str = _stemmer().stem(word)
    return stem


def _in_common(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest common subsequence. All of `a` is compared at once, as bits of a number (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for at, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << at
    ones = left = (1 << len(a)) - 1
    for word in b:
        if matched := left & places.get(word, 0):
            left = (left + matched | left - matched) & ones
    return len(a) - left.bit_count()


def _rouge(pairs: list[tuple[str, str]]) -> list[dict[str, float]]:
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.scoring import fmeasure

    words = _RougeWords()
    scorer, tokens = RougeScorer(["rouge1", "rouge2"], tokenizer=words), cache(words.tokenize)

    def in_order(answer: str, real: str) -> float:
        said, wanted = tokens(answer), tokens(real)
        # rouge-score fills a table of all pairs of words for it, which takes most of its time
        length = _in_common(wanted, said)
        return float(fmeasure(length / len(said), length / len(wanted))) if said and wanted else 0.0

    return [
        {kind: s.fmeasure for kind, s in scorer.score(real, answer).items()} | {"rougeL": in_order(answer, real)}
        for answer, real in pairs
    ]
