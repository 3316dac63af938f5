"""Edits that keep the meaning: other words, contractions, fillers, order, person. Which words, a language's rules say."""

import random
import re
from collections.abc import Collection, Iterable, Mapping

from ratf.edits.log import Edit, applied, picked
from ratf.edits.rules import Rules
from ratf.edits.sentences import sentence_spans
from ratf.edits.spans import alternatives, number_value, spans, stems


def rewordings(text: str, rules: Rules) -> list[Edit]:
    """Every rewording of words that the rules know in this text. Some overlap; see `picked`."""
    starts = sentence_spans(text, rules.abbreviations)
    found = [
        *_swaps(text, "synonym", {word: to[0] for word, to in rules.synonyms.items()}, rules.fixed_after),
        *_numbers(text, rules),
        *_swaps(text, "contraction", rules.contractions),
        *_swaps(text, "contraction", {short: long for long, short in rules.contractions.items()}),
        *_swaps(text, "person", rules.person),
        *_fillers_out(text, rules),
    ]
    return placed(text, without_facts(text, found, rules), starts)


def without_facts(text: str, edits: Iterable[Edit], rules: Rules) -> list[Edit]:
    """The edits that touch no name and no date: the River Trust is no Stream Trust, and May is no "may"."""
    facts = [s for s in spans(text, rules) if s.kind != "number"]
    return [e for e in edits if not any(s.start < e.end and e.start < s.end for s in facts)]


def placed(text: str, edits: Iterable[Edit], starts: list[tuple[int, int]]) -> list[Edit]:
    """The edits that lie inside one sentence, with its number, and with a capital where they begin it."""
    found = []
    for edit in edits:
        inside = [i for i, (a, b) in enumerate(starts) if a <= edit.start and edit.end <= b]
        if not inside:
            continue
        after, first = edit.after, starts[inside[0]][0]
        if edit.start == first and after and edit.before[:1].isupper():
            after = after[0].upper() + after[1:]
        found.append(Edit(edit.kind, edit.start, edit.before, after, inside[0]))
    return found


def phrase_edits(text: str, kind: str, table: Mapping[str, str]) -> list[Edit]:
    """A phrase of `table` for another, wherever it stands. What begins with a capital only in the text keeps it."""
    small = {" ".join(key.casefold().split()): (key, to) for key, to in table.items()}
    found = []
    for match in alternatives(tuple(table)).finditer(text):
        said = match[0].replace("’", "'")
        key, to = small[" ".join(said.casefold().split())]
        if said[0].isupper() and not key[0].isupper():
            to = to[0].upper() + to[1:]
        curly = "’" in match[0] or ("’" in text and "'" not in match[0])
        found.append(Edit(kind, match.start(), match[0], to.replace("'", "’") if curly else to))
    return found


def _swaps(text: str, kind: str, table: Mapping[str, str], fixed_after: Iterable[str] = ()) -> list[Edit]:
    return [e for e in phrase_edits(text, kind, table) if not follows(text, e.start, fixed_after)]


def follows(text: str, start: int, words: Iterable[str]) -> bool:
    """Whether one of the words stands just before this place."""
    before = re.search(r"(\S+)\s+$", text[:start][-40:])
    return before is not None and before[1].casefold() in words


def _numbers(text: str, rules: Rules) -> list[Edit]:
    """Small numbers between digits and words."""
    as_word = {value: word for word, value in rules.numbers.items()}
    found = []
    for span in spans(text, rules):
        value = number_value(span.text, rules) if span.kind == "number" else None
        if value is None or follows(text, span.start, rules.fixed_after):
            continue
        if span.shape == "word":
            found.append(Edit("number as word", span.start, span.text, f"{value:g}"))
        elif value in as_word and span.text.isdigit():
            found.append(Edit("number as word", span.start, span.text, as_word[int(value)]))
    return found


def _fillers_out(text: str, rules: Rules) -> list[Edit]:
    """Fillers at the start of a sentence, with their comma and the letter that is then the first; or between commas."""
    found = []
    inner = "|".join(re.escape(f) for f in rules.fillers) or r"(?!)"
    for a, b in sentence_spans(text, rules.abbreviations):
        first = re.compile(rf"(?:{inner}),\s+(\w)", re.IGNORECASE).match(text, a, b)
        if first:
            found.append(Edit("filler", a, first[0], first[1].upper()))
        found += [
            Edit("filler", a + m.start(), m[0], "")
            for m in re.finditer(rf",\s+(?:{inner})(?=,)", text[a:b], re.IGNORECASE)
        ]
    return found


def fillers_in(text: str, rules: Rules, draw: random.Random, known: Collection[str] = ()) -> list[Edit]:
    """A filler before the first word of every sentence, which loses its capital where it is no name.

    `known` are the person's names; where there are none, only a common word loses it.
    """
    found = []
    first = {f.split()[0].casefold() for f in rules.fillers}
    for number, (a, b) in enumerate(sentence_spans(text, rules.abbreviations)):
        word = re.compile(r"[^\W\d_]+(?:['’]\w+)?").match(text, a, b)
        if word and rules.fillers and word[0].casefold() not in first:
            filler = draw.choice(rules.fillers)
            begins = f"{filler[0].upper()}{filler[1:]}, "
            word_now = word[0].casefold() if _no_name(word[0], rules, known) else word[0]
            found.append(Edit("filler", a, word[0], begins + word_now, number))
    return found


def _no_name(word: str, rules: Rules, known: Collection[str]) -> bool:
    small = stems(word.casefold())
    if small & set(rules.common):
        return True
    always = word.replace("’", "'") in (*rules.names.never, *rules.months, *rules.weekdays) or word[1:2].isupper()
    return bool(known) and not always and not any(small & set(name.split()) for name in known)


def reworded_sentences(
    text: str, rules: Rules, draw: random.Random, known: Collection[str] = ()
) -> list[tuple[str, list[Edit]]]:
    """Every sentence in as many other words as the rules have, with its own edits. `known` are names."""
    candidates = rewordings(text, rules)
    draw.shuffle(candidates)
    # longer phrases first, or "we will" loses to the "we" inside it
    candidates.sort(key=lambda e: -len(e.before.split()))
    fillers = fillers_in(text, rules, draw, known)
    draw.shuffle(fillers)
    edits = picked([*candidates, *fillers]) or []
    found = []
    for number, (a, b) in enumerate(sentence_spans(text, rules.abbreviations)):
        mine = [e for e in edits if e.sentence == number]
        out = applied(text, mine, a, b)
        turned = clauses_swapped(out, rules)
        if turned:
            mine = [*mine, Edit("order", a, out, turned, number)]
        found.append((turned or out, mine))
    return found


def clauses_swapped(sentence: str, rules: Rules) -> str | None:
    """Turn "If A, B." into "B if A."; None where the sentence isn't of that form."""
    inner = "|".join(map(re.escape, rules.movable)) or r"(?!)"
    match = re.fullmatch(rf"({inner})\s+([^,;:]+),\s+([^,;:]+?)([.!?]*)", sentence, re.IGNORECASE)
    if not match or any(len(match[i].split()) < 2 for i in (2, 3)):
        return None
    word, a, b, end = match.groups()
    return f"{b[0].upper()}{b[1:]} {word.casefold()} {a}{end}"
