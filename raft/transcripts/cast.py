"""Who answers, who asks, and who does neither."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from raft.errors import RaftError
from raft.transcripts.said import Said, Transcript
from raft.types import Role, Turn

CALL_WORDS = 25
"""Whoever calls on people does it in so many words, by the median."""

_NO_NAMES = {"a", "answer", "assistant", "interviewee"}


@dataclass(frozen=True)
class Share:
    """How much of a conversation is one speaker's."""

    speaker: str
    turns: int
    words: int


class WhoAnswersError(RaftError):
    """Several speakers could be the person, or nobody is called what was asked for."""

    def __init__(self, name: str, wanted: str | None, shares: list[Share]) -> None:
        self.shares = shares
        table = "\n".join(f"  {s.speaker}: {s.turns} turns, {s.words:,} words" for s in shares)
        why = f"no speaker is called {wanted!r}" if wanted else "several speakers could be the one who answers"
        super().__init__(f"{name}: {why}; name one with --target:\n{table}")


def shares(said: Iterable[Said]) -> list[Share]:
    """Every speaker with turns and words, most words first."""
    turns: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for one in said:
        turns[one.speaker] += 1
        words[one.speaker] += len(one.text.split())
    return [Share(speaker, turns[speaker], n) for speaker, n in words.most_common()]


def who_answers(transcript: Transcript, name: str, wanted: str | None, called: str | None) -> set[str]:
    """The labels of the one who answers: `wanted`, else whom the form names, else the person `called` so.

    A label is meant when every word of `wanted` is one of its words, whatever the case. Raises WhoAnswersError.
    """
    marked = {s.speaker for s in transcript.said if s.role == "target" or s.speaker == transcript.target}
    found = {s.speaker for s in transcript.said if wanted and _named(wanted, s.speaker)}
    if wanted and not found:  # where nobody is called by name, Q. and A. or user and assistant say who answers
        found = {label for label in marked if label.casefold() in _NO_NAMES}
    elif not wanted:
        found = marked or {s.speaker for s in transcript.said if called and _named(called.split()[-1], s.speaker)}
    if not found:
        raise WhoAnswersError(name, wanted, shares(transcript.said))
    return found


def turns_of(said: list[Said], targets: Collection[str], others: Collection[str] = ()) -> tuple[Turn, ...]:
    """The turns with their roles; what one speaker says in a row is one turn.

    Who calls on people is `other` (see `callers`), as is whoever is named in `others`. Roles that the file gives stay,
    unless somebody else is to answer.
    """
    put_aside = {s.speaker for s in said if any(_named(other, s.speaker) for other in others)}
    neither = put_aside | callers(said, targets)
    as_given = {s.speaker for s in said if s.role == "target"} == set(targets)
    turns: list[Turn] = []
    for one in said:
        given = one.role if as_given and one.speaker not in put_aside else None
        role = given or _role(one.speaker, targets, neither)
        last = turns[-1] if turns else None
        if last and last.role == role and (role == "target" or _same(last.speaker, one.speaker)):
            turns[-1] = Turn(last.speaker, role, f"{last.text}\n\n{one.text}")
        else:
            turns.append(Turn(one.speaker, role, one.text))
    return tuple(turns)


def callers(said: list[Said], targets: Collection[str]) -> set[str]:
    """Who mainly gives the floor to others: short turns, most of them followed by somebody who is not the target."""
    followed: dict[str, list[bool]] = {}
    words: dict[str, list[int]] = {}
    for one, after in pairwise(said):
        if one.speaker not in targets and not _same(one.speaker, after.speaker):
            followed.setdefault(one.speaker, []).append(after.speaker not in targets)
            words.setdefault(one.speaker, []).append(len(one.text.split()))
    return {
        speaker
        for speaker, handed in followed.items()
        if len(handed) > 1 and sum(handed) > 0.75 * len(handed) and median(words[speaker]) <= CALL_WORDS
    }


def _role(speaker: str, targets: Collection[str], neither: Collection[str]) -> Role:
    if speaker in targets:
        return "target"
    return "other" if speaker in neither else "interviewer"


def _named(wanted: str, label: str) -> bool:
    words = set(label.casefold().replace(".", " ").split())
    return bool(wanted.split()) and set(wanted.casefold().replace(".", " ").split()) <= words


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
