"""Who answers, who asks, and who does neither."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median

from raft.errors import RaftError
from raft.text import count_words
from raft.transcripts.looks import ANSWERS, PAIRS, bare_name, is_role, key_of, name_words
from raft.transcripts.said import Said, Transcript, words
from raft.types import Role, Turn

CALL_WORDS = 25
"""Whoever calls on people does it in so many words, by the median."""

_NO_NAMES = {"assistant", *ANSWERS, *PAIRS.values()}
_WITNESS = {"the witness", "witness", "the deponent", "deponent", "the affiant"}
_COUNSEL = {"q", "question"}


@dataclass(frozen=True)
class Share:
    """How much of a conversation is one speaker's."""

    speaker: str
    turns: int
    words: int


class WhoAnswersError(RaftError):
    """Several speakers could be the person, or nobody is called what was asked for, or two people share a name."""

    def __init__(self, name: str, wanted: str | None, shares: list[Share], why: str = "") -> None:
        self.shares = shares
        table = "\n".join(f"  {s.speaker}: {s.turns} turns, {s.words:,} words" for s in shares)
        why = why or (f"no speaker is called {wanted!r}" if wanted else "several speakers could be the one who answers")
        super().__init__(f"{name}: {why}; name one with --target:\n{table}")


def shares(said: Iterable[Said]) -> list[Share]:
    """Every speaker with turns and words, most words first."""
    turns: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for one in said:
        turns[one.speaker] += 1
        count[one.speaker] += words(one.text)
    return [Share(speaker, turns[speaker], n) for speaker, n in count.most_common()]


def who_answers(
    transcript: Transcript,
    name: str,
    wanted: str | Sequence[str] | None,
    called: str | None,
    others: Collection[str] = (),
) -> set[str]:
    """The labels of the one who answers: `wanted`, else whom the form names, else the person `called` so.

    A label is meant when every word of `wanted` is one of its words, whatever the case; several may be wanted, and
    whoever is among `others` never is. A shorter label of the same person, as LINDEN beside MARA LINDEN, is meant too
    where only one person's name has it. Raises WhoAnswersError, also where two first names share what is wanted.
    """
    asked = [wanted] if isinstance(wanted, str) else list(wanted or ())
    labels = {s.speaker for s in transcript.said if not any(_named(other, s.speaker) for other in others)}
    marked = {s.speaker for s in transcript.said if s.role == "target" or s.speaker == transcript.target} & labels
    found: set[str] = set()
    for one in asked:
        hits = {label for label in labels if _named(one, label)}
        if len(asked) > 1:
            exact = {label for label in hits if key_of(label) == key_of(one)}
            hits = exact or hits
        if not hits:  # where nobody is called by name, Q. and A. or user and assistant say who answers
            hits = {label for label in marked if label.casefold() in _NO_NAMES}
        if not hits:
            raise WhoAnswersError(name, one, shares(transcript.said))
        if len(asked) == 1 and not hits & marked:
            hits |= _shorter(hits, labels - hits)
            _check_one_person(hits, one, called, transcript, name)
        found |= hits
    if not asked and called:
        found = marked or {label for label in labels if _named(called.split()[-1], label)}
        if found and not marked:
            found |= _shorter(found, labels - found)
            _check_one_person(found, called.split()[-1], called, transcript, name)
    elif not asked:
        found = marked
    if not found:
        raise WhoAnswersError(name, None, shares(transcript.said))
    if {key_of(label) for label in found} & {"a", "answer"}:
        found |= {label for label in labels if key_of(label) in _WITNESS}
    return found


def _check_one_person(found: set[str], wanted: str, called: str | None, transcript: Transcript, name: str) -> None:
    """Raise WhoAnswersError where the labels, or the person's full name, have first names that cannot be one person's."""
    given = {label: [w for w in bare_name(label) if w not in name_words(wanted)] for label in found}
    if called and set(name_words(wanted)) & {bare_name(called)[-1]}:
        given[called] = [w for w in bare_name(called) if w not in name_words(wanted)]
    for one, other in combinations(sorted(given), 2):
        if given[one] and given[other] and not _one_name(given[one], given[other]):
            why = f"{one!r} and {other!r} are both called {wanted!r}, and may be two people"
            remedy = "; give each label of the one who answers as a --target of its own, and the others as --other"
            raise WhoAnswersError(name, wanted, shares(transcript.said), why + remedy)


def _one_name(one: list[str], other: list[str]) -> bool:
    """Whether two first names can be one person's: the same words, fewer of them, or initials."""
    few, many = sorted((one, other), key=len)
    return all(any(a == b or (1 in (len(a), len(b)) and a[0] == b[0]) for b in many) for a in few)


def _shorter(found: set[str], rest: set[str]) -> set[str]:
    """Labels among `rest` that are a part of one in `found` and of no other's name: a surname, with or without a title."""
    more = set()
    for label in rest:
        own = set(bare_name(label))
        if is_role(label) or not any(own < set(bare_name(one)) for one in found):
            continue
        if not any(own < set(bare_name(other)) for other in rest):
            more.add(label)
    return more


def one_person(labels: Collection[str]) -> dict[str, str]:
    """For each label the longest one of the same person: FENN is ODO FENN, where only one full name has it."""
    meant = {}
    for label in labels:
        own = set(bare_name(label))
        full = {other for other in labels if own < set(bare_name(other)) and not is_role(label)}
        meant[label] = next(iter(full)) if len(full) == 1 else label
    return meant


def turns_of(said: list[Said], targets: Collection[str], others: Collection[str] = ()) -> tuple[Turn, ...]:
    """The turns with their roles; what one speaker says in a row is one turn.

    Who calls on people is `other` (see `callers`), as is whoever is named in `others`. Roles that the file gives stay,
    unless somebody else is to answer.
    """
    put_aside = {s.speaker for s in said if any(_named(other, s.speaker) for other in others)}
    neither = put_aside | callers(said, targets) | _counsel_aside(said, targets)
    meant = one_person({s.speaker for s in said})
    as_given = {s.speaker for s in said if s.role == "target"} == set(targets)
    turns: list[Turn] = []
    for one in said:
        given = one.role if as_given and one.speaker not in put_aside else None
        role = given or _role(one.speaker, targets, neither)
        last = turns[-1] if turns else None
        if last and last.role == role and (role == "target" or _same(meant[last.speaker], meant[one.speaker])):
            turns[-1] = Turn(last.speaker, role, f"{last.text}\n\n{one.text}")
        else:
            turns.append(Turn(one.speaker, role, one.text))
    return tuple(turns)


def callers(said: list[Said], targets: Collection[str]) -> set[str]:
    """Who mainly gives the floor to others: short turns, most of them followed by somebody who is not the target."""
    followed: dict[str, list[bool]] = {}
    lengths: dict[str, list[int]] = {}
    for one, after in pairwise(said):
        if one.speaker not in targets and not _same(one.speaker, after.speaker):
            followed.setdefault(one.speaker, []).append(after.speaker not in targets)
            lengths.setdefault(one.speaker, []).append(count_words(one.text))
    return {
        speaker
        for speaker, handed in followed.items()
        if len(handed) > 1 and sum(handed) > 0.75 * len(handed) and median(lengths[speaker]) <= CALL_WORDS
    }


def _counsel_aside(said: list[Said], targets: Collection[str]) -> set[str]:
    """In a deposition Q asks and A answers; whoever has a name there objects or swears in."""
    keys = {key_of(s.speaker) for s in said}
    if not ({key_of(one) for one in targets} & {"a", "answer"} and keys & _COUNSEL):
        return set()
    return {s.speaker for s in said if s.speaker not in targets and key_of(s.speaker) not in _COUNSEL}


def _role(speaker: str, targets: Collection[str], neither: Collection[str]) -> Role:
    if speaker in targets:
        return "target"
    return "other" if speaker in neither else "interviewer"


def _named(wanted: str, label: str) -> bool:
    asked = set(name_words(wanted))
    return bool(asked) and asked <= set(name_words(label))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
