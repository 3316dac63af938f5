"""The rules by which answers of one language are edited: one data file a language, read and checked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictStr, model_validator

from raft.errors import RaftError
from raft.formats.yaml_file import read_model

FOLDER = Path(__file__).parent
RECOGNISED = 0.2
"""A text is of a language when so large a share of its words are among the language's common ones."""

Words = tuple[StrictStr, ...]
Pairs = dict[StrictStr, StrictStr]


class _Names(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    capitalised: bool
    """Whether a capital inside a sentence marks a name; where it does not, names are neither found nor swapped."""
    inside: Words = ()
    never: Words = ()


class Rules(BaseModel):
    """One language's rules. Phrases are written as they stand inside a sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Annotated[str, Field(pattern=r"^[a-z][a-z_-]*$")]
    common: Annotated[Words, Field(min_length=20)]
    abbreviations: Words = ()
    negations: Annotated[Words, Field(min_length=1)]
    negation_endings: Words = ()
    contractions: Pairs = {}
    fillers: Words = ()
    person: Pairs = {}
    movable: Words = ()
    synonyms: dict[StrictStr, Annotated[Words, Field(min_length=1)]] = {}
    fixed_after: Words = ()
    turns: Pairs = {}
    turned_back: Pairs = {}
    antonyms: tuple[tuple[StrictStr, StrictStr], ...] = ()
    numbers: dict[StrictStr, int] = {}
    scales: dict[StrictStr, int] = {}
    months: Words = ()
    weekdays: Words = ()
    names: _Names = _Names(capitalised=False)

    @model_validator(mode="after")
    def _no_synonym_is_an_antonym(self) -> "Rules":
        opposed = {frozenset(pair) for pair in self.antonyms}
        wrong = [f"{w}/{s}" for w, found in self.synonyms.items() for s in found if s == w or {w, s} in opposed]
        if wrong:
            raise ValueError(f"synonyms that are no other word, or an antonym as well: {', '.join(wrong)}")
        return self

    def __hash__(self) -> int:
        """By the language alone: enough to keep patterns made of these rules."""
        return hash(self.language)

    def negated(self, text: str) -> int:
        """How many words of a text deny something."""
        small = [word.replace("’", "'") for word in words(text)]
        ends = tuple(self.negation_endings)
        return sum(w in self.negations or bool(ends and w.endswith(ends)) for w in small)


@dataclass(frozen=True)
class NotExamined:
    """What stands where nothing could be made, with the reason in words; never to be taken for a pass."""

    reason: str


def words(text: str) -> list[str]:
    """The words of a text in small letters, their apostrophes kept."""
    return re.findall(r"\w+(?:['’]\w+)*", text.casefold())


def languages() -> list[str]:
    """The languages that come along."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def load_rules(language: str) -> Rules:
    """The rules of a language that comes along, or of a data file (a path that ends in .yaml).

    Raises RaftError that lists the languages there are, and DataError with every problem of the file.
    """
    path = Path(language) if language.endswith(".yaml") else FOLDER / f"{language}.yaml"
    if not path.is_file():
        raise RaftError(
            f"{path}: no rules of edits; name a YAML file, or an included language: {', '.join(languages())}"
        )
    return read_model(path, Rules)


def rules_for(texts: Iterable[str], language: str | None = None) -> Rules | NotExamined:
    """The rules for these texts: of `language` where one is named, else of the language that they are recognised as.

    NotExamined where there are no rules for it: coverage and agreement are then not examined, which is no pass.
    """
    there = ", ".join(languages())
    if language is not None:
        if language.endswith(".yaml") or language in languages():
            return load_rules(language)
        return NotExamined(
            f"no edits for {language}: coverage and agreement not examined (there are edits for {there})"
        )
    said = [word for text in texts for word in words(text)]
    shares = {name: _share(said, load_rules(name)) for name in languages()}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < RECOGNISED:
        return NotExamined(
            f"no edits for this language: coverage and agreement not examined (there are edits for {there})"
        )
    return load_rules(best)


def _share(said: list[str], rules: Rules) -> float:
    common = set(rules.common)
    return sum(word in common for word in said) / max(1, len(said))
