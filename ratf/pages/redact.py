"""A run without anybody's own words, to be shown where those may not be: a pure function from results to results."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import regex

from raft.text import LETTERS, ONE_UNSPACED, count_words, length, run_ends, runs
from ratf.results.lazy import Stored, spooled
from ratf.results.results import Question, Results
from ratf.results.rights import publishable
from ratf.suite.arms import CONTROLS

RUN = 6
"""The number of words in a row, said or written by somebody, that are left out wherever they stand."""


ABOUT_A_MEMORY = ("chunk_id", "doc_id", "title", "date", "source")
_WORD = regex.compile(rf"(?V1){ONE_UNSPACED}\p{{M}}*|[{LETTERS}--{ONE_UNSPACED}]+(?:['’][{LETTERS}--{ONE_UNSPACED}]+)*")


def shown(results: Results, redact: bool = False, public: bool = False, data: Path | None = None) -> Results:
    """What is shown of a run: all; with `redact` what `redacted` leaves; with `public` what `publishable` allows."""
    if redact:
        results = redacted(results)
    return publishable(results, data) if public else results


def redacted(results: Results) -> Results:
    """The same run without real answers, answers to questions asked again, other real answers among the controls, memories, and samples of training.

    Each is replaced by its number of words and the start of its sha256, so that who has the text can check it. Questions
    (the interviewers'), generated answers, scores and the style verdict's single words and n-grams stay; but whatever
    is said anywhere, also by a judge, loses every run of RUN words that stands in a text that was left out. What was
    redacted already is given back as it is. The questions of a large run are read twice, and never held.
    """
    if results.redacted:
        return results
    made = results.model_copy(update={"questions": []}).model_dump(mode="json")
    learnt = [
        turn for tuned in made["tuned"] for turn in (tuned.get("example") or {}).get("turns", []) if turn[0] != "system"
    ]
    theirs = (text for q in results.questions for text in words_of(results, q))
    again = [r[side] for r in (made["repeats"] or {}).get("found", []) for side in ("later", "earlier")]
    mask = Mask(chain(theirs, [text for _, text in learnt], [said["answer"] for said in again]))
    for said in again:
        said["answer"] = left_out(said["answer"])
    for turn in learnt:
        turn[1] = left_out(turn[1])
    for control in (made["made"] or {}).get("controls", []):
        for edit in control["edits"]:
            edit |= {side: left_out(edit[side]) for side in ("before", "after")}
    made = mask.everywhere(made)
    hidden = (_question(results, q, mask) for q in results.questions)
    questions: Any = spooled(hidden) if isinstance(results.questions, Stored) else list(hidden)
    people = ", ".join([str(results.person["name"]), *results.impostors.values(), *results.strangers.values()])
    made["redacted"] = (
        f"The words of {people} are left out: {mask.texts} answers and memories, and {mask.count} runs "
        f"of {RUN} or more of their words inside other texts. A sha256 stands for each; scores are those of the whole texts"
    )
    return Results.model_validate(made).model_copy(update={"questions": questions})


def _question(results: Results, question: Question, mask: "Mask") -> Question:
    made = question.model_dump(mode="json")
    made["real"] = left_out(made["real"])
    for arm, answer in made["answers"].items():
        if is_theirs(results, arm):
            answer["text"] = left_out(answer["text"])
        answer["memories"] = [_memory(m) for m in answer["memories"]]
    return Question.model_validate(mask.everywhere(made))


def is_theirs(results: Results, arm: str) -> bool:
    """Whether the answers under this name are words of the person or of somebody else, rather than a machine's."""
    control = CONTROLS.get(arm)
    return (control is None or control.theirs) and (arm not in results.arms or results.arms[arm].kind == "control")


def words_of(results: Results, question: Question) -> Iterator[str]:
    """Every text of a question that is somebody's own words."""
    yield question.real
    for arm, answer in question.answers.items():
        if is_theirs(results, arm):
            yield answer.text
        for memory in answer.memories:
            yield from (str(text) for key, text in memory.items() if _said(key, text))


def left_out(text: str) -> str:
    """The mark that replaces a text: its number of words and the start of its sha256. A blank text stays."""
    if not text.strip():
        return text
    return f"[{count_words(text)} words left out, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}]"


def _memory(memory: Mapping[str, Any]) -> dict[str, Any]:
    """A memory without its texts; what tells its source stays, so that it can be looked up."""
    return {key: left_out(text) if _said(key, text) else text for key, text in memory.items()}


def _said(key: str, value: Any) -> bool:
    return isinstance(value, str) and key not in ABOUT_A_MEMORY


class Mask:
    """Finds runs of RUN words of some texts in other texts, whatever their case and punctuation.

    `texts` is how many different ones there were, `count` how many runs were masked so far.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        seen: set[int] = set()
        runs = array("q")  # thousands of answers have millions of runs
        for text in texts:
            if text and hash(text) not in seen:
                seen.add(hash(text))
                runs.extend(_runs(list(_WORD.finditer(text))))
        self._runs = np.unique(np.array(runs, dtype=np.int64))
        self.texts, self.count = len(seen), 0

    def everywhere(self, value: Any) -> Any:
        """The same value with every string in it masked; keys of records are names, and stay."""
        if isinstance(value, str):
            return self.masked(value)
        if isinstance(value, dict):
            return {key: self.everywhere(inner) for key, inner in value.items()}
        return [self.everywhere(inner) for inner in value] if isinstance(value, list) else value

    def masked(self, text: str) -> str:
        """The text with `[9 words left out]` in the place of each run."""
        words = list(_WORD.finditer(text))
        if len(words) < RUN:
            return text
        known = np.flatnonzero(self._has(_runs(words)))
        if not len(known):
            return text
        ends = run_ends(_said_words(words), RUN)
        covered = sorted({place for i in known for place in range(int(i), ends[i])})
        breaks = [i for i, (a, b) in enumerate(pairwise(covered)) if b > a + 1]
        starts, ends = [0, *(i + 1 for i in breaks)], [*breaks, len(covered) - 1]
        made, at = "", 0
        for start, end in zip(starts, ends, strict=True):
            first, last = words[covered[start]], words[covered[end]]
            made += f"{text[at : first.start()]}[{length(_said_words(words[covered[start] : covered[end] + 1]))} words left out]"
            at = last.end()
            self.count += 1
        return made + text[at:]

    def _has(self, runs: list[int]) -> Any:
        if not runs or not len(self._runs):
            return np.zeros(0, dtype=bool)
        asked = np.array(runs, dtype=np.int64)
        places = np.searchsorted(self._runs, asked)
        return self._runs[np.minimum(places, len(self._runs) - 1)] == asked


def _runs(found: list[Any]) -> list[int]:
    """The hash of each run of RUN words: as numbers, millions of runs fit into memory."""
    return [hash(run) for run in runs(_said_words(found), RUN)]


def _said_words(found: list[Any]) -> list[str]:
    return [word.group().casefold().replace("’", "'") for word in found]
