from itertools import pairwise

import numpy as np

from raft.types import Exchange
from ratf.agents.given.degenerate import babble, commonplaces, dont_know, echo, evidence_words, parrot, salted, yes

ASKED = [Exchange("late", n, None, f"Question {n}?", "The brook came up over the lane " * n) for n in (1, 2, 3)]
EARLIER = [
    Exchange("early", 1, None, "Who?", "The miller had a long list of complaints."),
    Exchange("early", 2, None, "What?", "A list."),
    Exchange(
        "early", 3, None, "Why?", "The list had a hole in it, and the miller had another list, and so it went on."
    ),
]
IDS = {e.exchange_id for e in ASKED}


def test_a_yes_and_ignorance_answer_everything_alike() -> None:
    assert yes(ASKED) == dict.fromkeys(IDS, "Yes.")
    assert dont_know(ASKED) == dict.fromkeys(IDS, "I don't know.")


def test_the_echo_repeats_the_question() -> None:
    assert echo(ASKED) == {e.exchange_id: e.question for e in ASKED}


def test_the_parrot_says_one_earlier_answer_of_middling_length() -> None:
    assert parrot(ASKED, EARLIER) == dict.fromkeys(IDS, EARLIER[0].answer)
    assert parrot(ASKED, []) == {}


def test_commonplaces_are_the_sentences_that_are_nearest_to_all_the_rest() -> None:
    said = ["One.", "Two.", "One again.", "Three.", "One more."]
    alike = np.eye(5, dtype=np.float32)
    alike[0, [2, 4]] = alike[[2, 4], 0] = 0.9
    text = commonplaces(ASKED, said, alike)[ASKED[0].exchange_id]
    assert text.startswith("One. Two. Three.") and commonplaces(ASKED, said, alike) == dict.fromkeys(IDS, text)
    assert commonplaces(ASKED, [], np.zeros((0, 0), dtype=np.float32)) == {}


def test_babble_is_as_long_as_the_answer_and_made_of_pairs_that_were_said() -> None:
    found = babble(ASKED, EARLIER, 1)
    assert found == babble(ASKED, EARLIER, 1) != babble(ASKED, EARLIER, 2)
    assert babble(ASKED[1:], EARLIER, 1).items() <= found.items()
    said = {pair for e in EARLIER for pair in pairwise(e.answer.split())}
    starts = {e.answer.split()[0] for e in EARLIER}
    for exchange in ASKED:
        words = found[exchange.exchange_id].split()
        assert len(words) == len(exchange.answer.split())
        assert all(pair in said or pair[1] in starts for pair in pairwise(words))
    assert babble(ASKED, [], 1) == {}


def test_evidence_words_stand_alone_or_salt_the_impostor() -> None:
    evidence = ["brook", "lane", "gander"]
    alone = evidence_words(ASKED, evidence, 1)
    assert all(len(a.split()) == 40 and set(a.split()) <= set(evidence) for a in alone.values())
    other = {ASKED[0].exchange_id: "one two three four five six seven eight nine"}
    assert salted(ASKED, other, ["brook"], 1) == {
        ASKED[0].exchange_id: "one two three four five six seven eight brook nine"
    }
    assert evidence_words(ASKED, [], 1) == salted(ASKED, other, [], 1) == {}
