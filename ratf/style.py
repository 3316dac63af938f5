"""Is it this person speaking? Character n-grams of earlier answers, against others of the same field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WORDS = 130
FOLDS = 5
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", " ": " "})


@dataclass(frozen=True)
class Spoken:
    """One answer. Texts of one `group` (an interview) stand or fall together when folds are made."""

    text: str
    group: str
    is_person: bool


class StyleIdentity:
    """P(the person is speaking), by TF-IDF of character 2- to 4-grams and logistic regression.

    Cross-fitted by interview: a text is judged only by models that saw nothing of its own interview.
    """

    def __init__(self, answers: Sequence[Spoken], seed: int = 0) -> None:
        from sklearn.model_selection import StratifiedGroupKFold

        labels = np.array([a.is_person for a in answers])
        groups = np.array([a.group for a in answers])
        texts = [normalise(a.text) for a in answers]
        folds = min(FOLDS, *(len({a.group for a in answers if a.is_person is side}) for side in (True, False)))
        if folds < 2:
            raise ValueError("the style classifier needs two or more interviews of the person and of the impostors")
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        self._folds: list[tuple[frozenset[str], Any]] = []
        for train, left_out in splitter.split(texts, labels, groups):
            model = _pipeline(seed).fit([texts[i] for i in train], labels[train])
            self._folds.append((frozenset(groups[left_out].tolist()), model))
        self._known = frozenset(groups.tolist())

    def probabilities(self, spoken: Sequence[tuple[str, str | None]]) -> list[float]:
        """For each (text, group): the mean over the models that have not seen the group, or over all for new text."""
        texts = [normalise(text) for text, _ in spoken]
        by_fold = np.stack([model.predict_proba(texts)[:, 1] for _, model in self._folds], axis=1)
        fair = np.array([[not self._saw(group, unseen) for unseen, _ in self._folds] for _, group in spoken])
        return [float(row[mask].mean()) for row, mask in zip(by_fold, fair, strict=True)]

    def _saw(self, group: str | None, unseen: frozenset[str]) -> bool:
        return group in self._known and group not in unseen


def normalise(text: str) -> str:
    """The first words only, so that length does not tell; and no typography, which is the transcriber's."""
    return " ".join(re.split(r"\s+", text.translate(_TYPOGRAPHY).strip())[:WORDS])


def _pipeline(seed: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(2, 4), min_df=2, sublinear_tf=True, max_features=50_000),
        LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000, random_state=seed),
    )
