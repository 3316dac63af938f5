"""Tells whether the person speaks, by character n-grams and function words of earlier answers and impostors'."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import regex
from numpy.typing import NDArray

from raft.text import LETTERS, by_script, folded, is_unspaced, run_ends
from ratf.results.exams import WORDS, Evidence

FOLDS = 5
CALIBRATION_FOLDS = 3
SHOWN = 10
"""The number of words, and of n-grams, that are shown for each side."""


_FUNCTION_WORDS = """
    a about above actually after again all almost already also although always am among an and another any anything
    are around as at away be because been before being both but by can cannot certainly come could did do does doing
    done down during each either else enough even ever every everything far few first for from further get go going
    had has have having he her here him his how however i i'd i'll i'm i've if in indeed instead into is it it's its
    just kind last least less let like little look lot made make many may maybe me might mine more most much must my
    need neither never next no nor not nothing now of off often oh ok on once one only or other our out over own part
    perhaps pretty put quite rather really right said same say see seem seems several shall she should since so some
    something sometimes sort still such sure take than that that's the their them then there there's these they they're
    thing things think this those though through to today together too toward under until up upon us very was way we
    we'd we'll we're we've well were what what's when where whether which while who why will with within without would
    yes yet you you're you've your
"""
_BETWEEN = regex.compile(rf"[^{LETTERS}']+|_")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
Classifier = Any
"""A scikit-learn classifier over counts, with `fit` and `decision_function`."""


@dataclass(frozen=True)
class Spoken:
    """One answer. Texts of one `group` (an interview) stand or fall together when folds are made."""

    text: str
    group: str
    is_person: bool


@dataclass(frozen=True)
class _Fold:
    """A model, its calibration, and the groups that neither has seen."""

    unseen: frozenset[str]
    classifier: Classifier
    calibration: Any

    def probabilities(self, counts: Any) -> NDArray[np.float64]:
        margins = self.classifier.decision_function(counts)
        found: NDArray[np.float64] = self.calibration.predict_proba(np.reshape(margins, (-1, 1)))[:, 1]
        return found


def linear(seed: int) -> Classifier:
    """The classifier of TF-IDF and logistic regression; an n-gram that was not seen in training is no feature."""
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.feature_selection import VarianceThreshold
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        VarianceThreshold(),
        TfidfTransformer(sublinear_tf=True),
        LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000, random_state=seed),
    )


class StyleIdentity:
    """The probability that the person speaks, both sides being as likely beforehand, cross-fitted by interview.

    A text is judged only by models and calibrations (Platt 1999, on decisions about interviews left out) that saw
    nothing of its own interview. Counting n-grams learns nothing and is done once for all folds. Raises ValueError
    where the person or the impostors have fewer than two interviews.
    """

    def __init__(
        self, answers: Sequence[Spoken], seed: int = 0, pipeline: Callable[[int], Classifier] = linear
    ) -> None:
        from sklearn.model_selection import StratifiedGroupKFold

        labels = np.array([a.is_person for a in answers])
        groups = np.array([a.group for a in answers])
        folds = min(FOLDS, _smaller_side(groups, labels))
        if folds < 2:
            raise ValueError("the style classifier needs two or more interviews of the person and of the impostors")
        self._features = _features()
        counts = self._features.fit_transform([normalise(a.text) for a in answers]).tocsr()
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        self._folds = [
            _Fold(
                frozenset(groups[left_out].tolist()), *_fit(counts[train], labels[train], groups[train], seed, pipeline)
            )
            for train, left_out in splitter.split(counts, labels, groups)
        ]
        self._known = frozenset(groups.tolist())
        self._counts, self._labels = counts, labels

    def probabilities(self, spoken: Sequence[tuple[str, str | None]]) -> list[float]:
        """The probability of each (text, group): the mean over models that have not seen the group, or over all."""
        counts = self._features.transform([normalise(text) for text, _ in spoken]).tocsr()
        by_fold = np.stack([fold.probabilities(counts) for fold in self._folds], axis=1)
        fair = np.array([[not self._saw(group, fold.unseen) for fold in self._folds] for _, group in spoken])
        return [float(row[mask].mean()) for row, mask in zip(by_fold, fair, strict=True)]

    def _saw(self, group: str | None, unseen: frozenset[str]) -> bool:
        return group in self._known and group not in unseen

    def evidence(self) -> list[Evidence]:
        """The words and n-grams with the greatest weights for and against the person, both kinds, averaged over folds."""
        names = self._features.get_feature_names_out()
        weights = np.zeros(len(names))
        for fold in self._folds:
            kept = fold.classifier[0].get_support(indices=True)
            idf = fold.classifier[1].idf_
            weights[kept] += fold.classifier[-1].coef_[0] * idf / len(self._folds)
        there = self._counts > 0
        mine, theirs = (np.asarray(there[self._labels == side].mean(axis=0)).ravel() for side in (True, False))
        found = []
        kinds: tuple[tuple[Literal["word", "n-gram"], str], ...] = (("word", "words__"), ("n-gram", "characters__"))
        for kind, prefix in kinds:
            own = np.flatnonzero([str(n).startswith(prefix) for n in names])
            order = own[np.argsort(weights[own], kind="stable")]
            for side in (order[::-1], order):
                rows = [
                    Evidence(
                        kind=kind,
                        text=str(names[i]).removeprefix(prefix),
                        weight=round(float(weights[i]), 3),
                        person=round(float(mine[i]), 3),
                        others=round(float(theirs[i]), 3),
                    )
                    for i in side[: 10 * SHOWN]
                    if weights[i]  # a word that nobody said is no evidence
                ]
                found += _distinct(rows)[:SHOWN]
        return found


def _distinct(rows: Sequence[Evidence]) -> list[Evidence]:
    """The rows without n-grams that are parts, or shifts, of an earlier one."""
    kept: list[Evidence] = []
    for row in rows:
        text = row.text.strip()
        known = any(
            text in k.text or k.text.strip() in text or (row.person, row.others) == (k.person, k.others) for k in kept
        )
        if row.kind == "word" or not known:
            kept.append(row)
    return kept


def normalise(text: str) -> str:
    """The first WORDS words without case and punctuation: neither length nor the transcriber's hand may tell."""
    words = tokens(text)
    if not any(map(is_unspaced, words)):
        return " ".join(words[:WORDS])
    kept = words[: next(iter(run_ends(words, WORDS)), len(words))]
    return "".join(word if is_unspaced(word) else f" {word} " for word in kept).replace("  ", " ").strip()


def tokens(text: str) -> list[str]:
    """The words in lower case, without what the transcriber put around them."""
    bare = _BETWEEN.sub(" ", folded(text.translate(_APOSTROPHES)).lower())
    return by_script(word for part in bare.split() if (word := part.strip("'")))


def _smaller_side(groups: NDArray[Any], labels: NDArray[np.bool_]) -> int:
    return min(len(set(groups[labels == side].tolist())) for side in (True, False))


def _features() -> Any:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import FeatureUnion

    characters = CountVectorizer(analyzer="char", ngram_range=(2, 4), min_df=2, dtype=np.float32)
    words = CountVectorizer(vocabulary=_FUNCTION_WORDS.split(), token_pattern=r"[\w']+", dtype=np.float32)
    return FeatureUnion([("characters", characters), ("words", words)])


def _fit(
    counts: Any, labels: NDArray[np.bool_], groups: NDArray[Any], seed: int, pipeline: Callable[[int], Classifier]
) -> tuple[Classifier, Any]:
    """A classifier, and the logistic curve from its margins to probabilities, learnt on interviews left out in turn."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    folds = min(CALIBRATION_FOLDS, _smaller_side(groups, labels))
    margins = np.zeros(len(labels))
    if folds < 2:  # nothing can be left out: the margins of the classifier itself, as logits
        margins = pipeline(seed).fit(counts, labels).decision_function(counts)
    else:
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        for train, left_out in splitter.split(counts, labels, groups):
            margins[left_out] = pipeline(seed).fit(counts[train], labels[train]).decision_function(counts[left_out])
    calibration = LogisticRegression(class_weight="balanced").fit(margins[:, None], labels)
    if calibration.coef_[0, 0] <= 0:  # what cannot be told of interviews left out is not told at all
        calibration.coef_[:], calibration.intercept_[:] = 0, 0
    return pipeline(seed).fit(counts, labels), calibration
