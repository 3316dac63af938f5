"""Does it sound like this person, and like nobody else? A verifier of grammar that can say "like nobody here"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ratf.statistics.estimates import Estimate, clustered_auc
from ratf.statistics.style import _FUNCTION_WORDS, tokens

LEAST = 50
"""An answer of fewer words has no score: tests/ratf/scores/style/test_voice_people.py has the table of lengths that this is from."""


WORDS = 130
"""The words of an answer that are read, so that its length does not tell."""


FOLDS = 5
MOST = 400
"""The answers of one speaker that are learnt from, evenly spaced: more cost time and add nothing."""


ORDER = 3
DISCOUNT = 0.75
FAR = 0.05
"""An answer that is stranger than all but this share of the person's own loses score in proportion."""


KNOWN = 0.25
"""The share of function words under which a text is not in the language of the list."""


INTERVIEWERS = "(interviewers)"
_ENDINGS = ("ing", "ed", "ly", "tion", "ment", "ness", "ity", "al", "er", "s")
_CODES = {
    word: code
    for code, word in enumerate(
        [*sorted(set(_FUNCTION_WORDS.split())), "#", "~", *(f"~{ending}" for ending in _ENDINGS)], start=1
    )
}
_SIZE = len(_CODES) + 1
Array = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Said:
    """What somebody said. Texts of one `group` (an interview) stand or fall together when folds are made."""

    text: str
    group: str
    speaker: str


class Voice:
    """How much more an answer is like the person than like anybody, from 0 to 1, cross-fitted by interview.

    Topic words are masked (Stamatatos 2018, text distortion). An answer's evidence is its mean log probability a word
    under a grammar of the person, that same figure against the pooled and the likeliest other speaker (LambdaG, Nini et
    al. 2024, arXiv 2403.08462, with the field as background), and the margin of a linear classifier on masked
    n-grams. A logistic curve joins these. It learns what a stranger looks like from each other speaker in turn, judged
    by models that never saw that speaker. An answer that is unlike the person's own left-out answers on either side
    is lowered, whatever it says of the others.

    A text is judged only by models that saw nothing of its own interview. The list of words is English.
    """

    def __init__(self, said: Sequence[Said], person: str, seed: int = 0) -> None:
        """Learn. Raises ValueError where there are too few interviews, or where the person does not speak English."""
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.model_selection import StratifiedGroupKFold

        kept = _thinned(said)
        self._person = person
        self._known = frozenset(s.group for s in kept)
        speakers = np.array([s.speaker for s in kept])
        groups = np.array([s.group for s in kept])
        masked = [_mask(s.text) for s in kept]
        own = speakers == person
        folds = min(FOLDS, len(set(groups[own])), len(set(groups[~own])))
        if folds < 2:
            raise ValueError("voice needs two or more interviews of the person and of others")
        _check_language([word for text, mine in zip(masked, own, strict=True) if mine for word in text])
        self._ngrams = CountVectorizer(analyzer=_ngrams, min_df=4, dtype=np.float32)
        counts = self._ngrams.fit_transform(masked).tocsr()
        coded = [_coded(text) for text in masked]
        long = np.array([len(text) >= LEAST for text in masked])
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        self._folds: list[_Fold] = []
        found: list[_Tried] = []
        for number, (train, left_out) in enumerate(splitter.split(counts, own, groups)):
            fold = _Fold(frozenset(groups[left_out]), person, speakers[train], [coded[i] for i in train], counts[train])
            tried = left_out[long[left_out]]
            for stranger in (None, *fold.strangers):
                at = tried if stranger is None else tried[speakers[tried] == stranger]
                evidence = fold.evidence([coded[i] for i in at], counts[at], without=stranger)
                found.append(_Tried(number, evidence, speakers[at], stranger))
            self._folds.append(fold)
        self._curves = [_Curve([t for t in found if t.fold != number], person) for number in range(folds)]

    def scores(self, asked: Sequence[tuple[str, str | None]]) -> list[float | None]:
        """The score of each (text, its interview or None for new text); None for one of fewer than LEAST words."""
        masked = [_mask(text) for text, _ in asked]
        at = [i for i, text in enumerate(masked) if len(text) >= LEAST]
        found: list[float | None] = [None] * len(asked)
        if not at:
            return found
        coded, counts = [_coded(masked[i]) for i in at], self._ngrams.transform([masked[i] for i in at]).tocsr()
        by_fold = np.stack(
            [c.scores(f.evidence(coded, counts)) for f, c in zip(self._folds, self._curves, strict=True)], axis=1
        )
        fair = np.array([[self._fair(asked[i][1], fold) for fold in self._folds] for i in at])
        for i, row, mask in zip(at, by_fold, fair, strict=True):
            found[i] = float(row[mask].mean())
        return found

    def _fair(self, group: str | None, fold: "_Fold") -> bool:
        return group not in self._known or group in fold.unseen


def blocks(turns: Iterable[tuple[str, str]], speaker: str = INTERVIEWERS) -> list[Said]:
    """(turn, interview) to texts of WORDS words, each of one interview; a remainder of LEAST words or more is kept.

    What interviewers say makes one more speaker for the verifier: they talk about the same things in the same years,
    so what sets the person apart from them is not the news.
    """
    asked: dict[str, list[str]] = {}
    for text, group in turns:
        asked.setdefault(group, []).extend(tokens(text))
    return [
        Said(" ".join(words[start : start + WORDS]), group, speaker)
        for group, words in asked.items()
        for start in range(0, len(words) - LEAST + 1, WORDS)
    ]


def placebo(questions: Mapping[str, Sequence[tuple[str, str]]], person: str, seed: int = 0) -> Estimate | None:
    """The AUC of the same verifier on what interviewers said to the person against what they said to the others.

    `questions` holds, for each person who was interviewed, (question, interview). The person spoke none of it: what
    is told apart here is the years and the topics. None where there are too few interviews to say.
    """
    said = [s for whom, turns in questions.items() for s in blocks(turns, whom)]
    try:
        scores = Voice(said, person, seed).scores([(s.text, s.group) for s in said])
    except ValueError:
        return None
    told = [(score, s.speaker == person, s.group) for score, s in zip(scores, said, strict=True) if score is not None]
    return clustered_auc([x for x, _, _ in told], [mine for _, mine, _ in told], [group for _, _, group in told])


class _Grammar:
    """Masked n-grams of one speaker with interpolated absolute discounting (Ney, Essen & Kneser 1994)."""

    def __init__(self, texts: Sequence[Codes]) -> None:
        self._orders = []
        for codes in _windows(texts):
            grams, seen = np.unique(codes, return_counts=True)
            contexts, of = np.unique(grams // _SIZE, return_inverse=True)
            self._orders.append((grams, seen, contexts, np.bincount(of, weights=seen), np.bincount(of)))

    def log_probabilities(self, windows: Sequence[Codes]) -> Array:
        """Of each word, given the ORDER - 1 before it."""
        p = np.full(len(windows[0]), 1 / len(_CODES))
        for codes, (grams, seen, contexts, total, kinds) in zip(windows, self._orders, strict=True):
            there, gram = _find(grams, codes)
            known, context = _find(contexts, codes // _SIZE)
            count = np.where(there, seen[gram], 0)
            rest = DISCOUNT * kinds[context] / total[context]
            p = np.where(known, np.maximum(count - DISCOUNT, 0) / total[context] + rest * p, p)
        return np.asarray(np.log(p), dtype=float)


class _Fold:
    """The models that have seen all interviews but those in `unseen`."""

    def __init__(self, unseen: frozenset[str], person: str, speakers: NDArray[Any], texts: list[Codes], counts: Any):
        self.unseen = unseen
        self._person = person
        self._others = sorted(set(speakers.tolist()) - {person})
        self.strangers = self._others if len(self._others) > 1 else []
        self._grammars = {
            speaker: _Grammar([t for t, s in zip(texts, speakers, strict=True) if s == speaker])
            for speaker in (person, *self._others)
        }
        self._classifiers = {
            without: _classifier(counts[speakers != (without or "")], speakers[speakers != (without or "")], person)
            for without in (None, *self.strangers)
        }

    def evidence(self, texts: Sequence[Codes], counts: Any, without: str | None = None) -> Array:
        """Rows of four figures, larger where the text is more like the person, as if nothing of `without` were known."""
        if not len(texts):
            return np.empty((0, 4))
        windows = _windows(texts)
        of = np.repeat(np.arange(len(texts)), [len(t) for t in texts])
        length = np.bincount(of)
        mine = self._grammars[self._person].log_probabilities(windows)
        others = np.stack([self._grammars[o].log_probabilities(windows) for o in self._others if o != without])
        pooled = np.logaddexp.reduce(others, axis=0) - np.log(len(others))
        nearest = np.max([np.bincount(of, weights=o) / length for o in others], axis=0)
        own = np.bincount(of, weights=mine) / length
        margin = self._classifiers[without].decision_function(counts)
        return np.stack([own, np.bincount(of, weights=mine - pooled) / length, own - nearest, margin], axis=1)


@dataclass(frozen=True)
class _Tried:
    """Evidence about answers that were left out; `stranger` is the speaker whom the models had never seen, if any."""

    fold: int
    evidence: Array
    speakers: NDArray[Any]
    stranger: str | None


class _Curve:
    """From evidence to a score."""

    def __init__(self, tried: Sequence[_Tried], person: str) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        evidence = np.concatenate([t.evidence for t in tried])
        speakers = np.concatenate([t.speakers for t in tried])
        kinds = np.concatenate([np.full(len(t.speakers), t.stranger or "") for t in tried])
        is_person = speakers == person
        own = evidence[is_person]
        others = sorted({(s, k) for s, k in zip(speakers, kinds, strict=True) if s != person})
        if len(own) < 2 or not others:
            raise ValueError(
                f"voice needs answers of {LEAST} or more words in two or more interviews of the person and of others"
            )
        self._centre, self._inverse = np.median(own, axis=0), np.linalg.pinv(np.cov(own.T))
        self._own = np.sort(self._distance(own))
        # the person weighs as much as everybody else; among these, each speaker the same, seen or as a stranger
        weight = np.where(is_person, 1 / len(own), 0.0)
        for speaker, kind in others:
            there = (speakers == speaker) & (kinds == kind)
            weight[there] = 1 / len(others) / there.sum()
        rows = np.c_[evidence, self._distance(evidence)]
        self._scale = StandardScaler().fit(rows[is_person])
        self._logistic = LogisticRegression(C=0.1, max_iter=500).fit(
            self._scale.transform(rows), is_person, sample_weight=weight * len(rows) / 2
        )

    def scores(self, evidence: Array) -> Array:
        distance = self._distance(evidence)
        p: Array = self._logistic.predict_proba(self._scale.transform(np.c_[evidence, distance]))[:, 1]
        farther = 1 - np.searchsorted(self._own, distance) / (len(self._own) + 1)
        return p * np.minimum(1, farther / FAR)

    def _distance(self, evidence: Array) -> Array:
        """Mahalanobis distance from the middle of the person's own left-out answers."""
        off = evidence - self._centre
        return np.asarray(np.sqrt(np.maximum((off @ self._inverse * off).sum(axis=1), 0)), dtype=float)


def _classifier(counts: Any, speakers: NDArray[Any], person: str) -> Any:
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    is_person = speakers == person
    names, of, sizes = np.unique(speakers, return_inverse=True, return_counts=True)
    weight = np.where(is_person, 1.0, 1 / (len(names) - 1)) / sizes[of] * len(speakers) / 2
    model = make_pipeline(TfidfTransformer(sublinear_tf=True), LogisticRegression(C=10.0, max_iter=1000))
    return model.fit(counts, is_person, logisticregression__sample_weight=weight)


def _mask(text: str) -> list[str]:
    """The first words; those that carry a topic are reduced to their ending, those with a digit to a mark."""
    return [masked(word) for word in tokens(text)[:WORDS]]


@lru_cache(maxsize=100_000)
def masked(word: str) -> str:
    """The word itself if it carries no topic, else its ending, or a mark for one with a digit. Kept: texts repeat words."""
    if any(c.isdigit() for c in word):
        return "#"
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) > len(e) + 2), "")
    return word if word in _CODES else f"~{ending}"


def _check_language(words: Sequence[str]) -> None:
    share = sum(not w.startswith(("~", "#")) for w in words) / max(1, len(words))
    if share < KNOWN:
        raise ValueError(
            f"only {share:.0%} of the person's words are English function words; voice has no list for other languages"
        )


def _ngrams(words: Sequence[str]) -> list[str]:
    return [" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1)]


def _coded(words: Sequence[str]) -> Codes:
    return np.array([_CODES[w] for w in words], dtype=np.int64)


def _windows(texts: Sequence[Codes]) -> list[Codes]:
    """For each order, the code of every word with so many words before it; 0 stands before the first word.

    A window's code divided by _SIZE, without remainder, is that of its context.
    """
    before = np.zeros(ORDER - 1, dtype=np.int64)
    joined = np.concatenate([part for text in texts for part in (before, text)])
    inside = np.concatenate([part for text in texts for part in (before > 0, text > 0)])
    found = [joined]
    for _ in range(ORDER - 1):
        found.append(joined + _SIZE * np.r_[0, found[-1][:-1]])
    return [codes[inside] for codes in found]


def _find(there: Codes, wanted: Codes) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Whether each wanted number is in the sorted array, and where (anywhere, if it is not)."""
    at = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
    return there[at] == wanted, at


def _thinned(said: Sequence[Said]) -> list[Said]:
    """At most MOST texts of each speaker, evenly spaced, in their order."""
    of: dict[str, list[int]] = {}
    for i, s in enumerate(said):
        of.setdefault(s.speaker, []).append(i)
    kept = [
        rows[(2 * n + 1) * len(rows) // (2 * min(MOST, len(rows)))]
        for rows in of.values()
        for n in range(min(MOST, len(rows)))
    ]
    return [said[i] for i in sorted(kept)]
