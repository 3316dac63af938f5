import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from places import REPOSITORY

from raft.errors import DataError, RaftError
from raft.people.person import load_person
from raft.types import Exchange
from ratf.edits.log import KEEPING, Edit, Edited, applied, lot, picked
from ratf.edits.made import KINDS, MADE, even_pair, made_controls, of_answer
from ratf.edits.paraphrase import paraphrased
from ratf.edits.rewording import clauses_swapped, reworded_sentences, rewordings
from ratf.edits.rules import FOLDER, NotExamined, Rules, load_rules, rules_for
from ratf.edits.sentences import sentence_spans, sentences
from ratf.edits.spans import compared, names_in, pool, spans
from ratf.edits.turning import turns

RULES = load_rules("english")
DEMO = REPOSITORY / "benchmarks"
ANSWER = (
    "Well, Mr. Askey told me in May 2019 that the two weirs were finished. I don't think so. If you look at the water, "
    "it is higher by 2.5 percent than it was. Kesterby spent $1,200 on it on Monday, and the EPA will be happy. Many "
    "people never saw the flood, and we should tell them about it."
)
OTHERS = pool(
    ["I met Conrad Pell in Rome on a Friday in June 2021. The council and the BBC came in July 2001, said Oddy."], RULES
)
TOPIC = ["The ducks came back.", "Nobody asked the heron about any of that, I can tell you.", "It rained in the night."]
GERMAN = "Der Fluss hat mir nie gehört. Ich habe ihn nur lange angesehen, und er hat sich nicht darum gekümmert."


def turned(kind: str, text: str = ANSWER, seed: int = 0) -> str:
    return applied(text, turns(text, kind, RULES, lot(seed), OTHERS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Oddy saw J. Pell at 5 p.m. by the U.S. Mill. It was 2.5 feet.", None),
        ('He said, "It came." "Did it?" So it did.', ['He said, "It came."', '"Did it?"', "So it did."]),
        ("It was I. Nobody else.", ["It was I.", "Nobody else."]),
        ("No stop at the end… and none here. ok", None),
        ("हाँ, नदी आई। फिर गई।", ["हाँ, नदी आई।", "फिर गई।"]),
        (
            "川が来た。「本当？」と聞いた。誰も答えなかった",
            ["川が来た。", "「本当？」", "と聞いた。", "誰も答えなかった"],
        ),
        ("هل جاء النهر؟ نعم جاء.", ["هل جاء النهر؟", "نعم جاء."]),
        ("Élan vital. École fermée. ¿Quién? Él.", ["Élan vital.", "École fermée.", "¿Quién?", "Él."]),
        ("One line\n\nanother one", ["One line", "another one"]),
        ("  ", []),
    ],
)
def test_sentences_end_where_their_script_ends_them(text: str, expected: list[str] | None) -> None:
    found = sentences(text, RULES.abbreviations)
    if expected is None:
        assert len(found) == (2 if text.startswith("Dr.") else 1)
    else:
        assert found == expected


@settings(deadline=None)
@given(st.text(alphabet="aB .!?。।\n\"'”1é", max_size=60))
def test_sentences_hold_every_letter_once_and_in_order(text: str) -> None:
    places = sentence_spans(text)
    assert all(a < b and not text[a].isspace() and not text[b - 1].isspace() for a, b in places)
    assert all(b <= c for (_, b), (c, _) in pairwise(places))
    assert "".join("".join(text[a:b] for a, b in places).split()) == "".join(text.split())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([*sentences(ANSWER, RULES.abbreviations), *TOPIC]), min_size=1, max_size=7), st.integers()
)
def test_the_log_says_what_was_replaced_by_what_and_where(parts: list[str], seed: int) -> None:
    text = " ".join(parts)
    for of in KINDS.values():
        pair = even_pair(text, of, RULES, lot(seed), OTHERS)
        for edited in pair or ():
            assert edited.text != text
            assert all(text[e.start : e.end] == e.before for e in edited.edits)
            assert applied(text, edited.edits) == edited.text
            assert len({e.start for e in edited.edits}) == len(edited.edits)
            places = sentence_spans(text, RULES.abbreviations)
            assert all(places[e.sentence][0] <= e.start <= e.end <= places[e.sentence][1] for e in edited.edits)
        if pair:
            against, harmless = pair
            assert against.changed == harmless.changed > 0
            assert {e.kind for e in against.edits} <= set(of)
            assert {e.kind for e in harmless.edits} <= set(KEEPING)
            assert against.agrees < harmless.agrees == 1 == against.covers == harmless.covers


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("polarity", ["were not finished", "I think so", "it is not higher", "EPA will not be", "always saw"]),
        ("antonym", ["lower by", "unhappy", "always saw|Few people"]),
        ("number", ["the (three|four) weirs", r"(2\.0|3\.0) percent", r"\$(960|1,440)"]),
        ("name", ["Mr. (Rome|Oddy)", "the BBC"]),
        ("date", ["in (June 2021|July 2001)", "on Friday"]),
    ],
)
def test_a_turned_copy_says_something_else(kind: str, says: list[str]) -> None:
    text = turned(kind)
    missing = [s for s in says if not re.search(s, text)]
    assert not missing, text


def test_a_denial_is_turned_back_and_never_doubled() -> None:
    assert turned("polarity", "We can't wait.") == "We can wait."
    assert turned("polarity", "It is never late.") == "It is always late."
    assert turned("polarity", "So we’re not worried. It was not so.") == "So we’re worried. It was so."
    assert turned("polarity", "I'm not worried. They’ve never come.") == "I'm worried. They’ve always come."
    assert turned("polarity", "Don't ask. Nobody knows.") == "Do ask. Everybody knows."


def test_the_same_name_becomes_the_same_other_name() -> None:
    text = "We asked Haddow. In the end Haddow agreed."
    names = {e.after for e in turns(text, "name", RULES, lot(3), OTHERS)}
    assert len(names) == 1 and "Haddow" not in turned("name", text)


def test_facts_without_another_of_their_kind_stay_as_they_are() -> None:
    assert turns("We asked Haddow in May.", "name", RULES, lot(0), {}) == []
    assert turns("We asked Haddow in May.", "date", RULES, lot(0), {}) == []
    with pytest.raises(ValueError, match="no such kind of edit: 'mood'"):
        turns("We asked.", "mood", RULES, lot(0))


def test_facts_are_found_with_what_they_say() -> None:
    found = {s.text: (s.kind, s.shape, s.value) for s in spans(ANSWER, RULES)}
    assert found["May 2019"] == ("date", "month year", ("month May", "year 2019"))
    assert found["two"] == ("number", "word", ("2",))
    assert found["1,200"][2] == ("1200",)
    assert found["Askey"][:2] == ("name", "one word")
    assert found["EPA"][:2] == ("name", "acronym")
    assert "Kesterby" not in found and "Well" not in found and "I" not in found
    assert "Kesterby" in {s.text for s in spans(ANSWER, RULES, names_in(["They left Kesterby."], RULES))}
    assert [s.value for s in spans("some 3 million, twenty-five of them, on the 4th of May", RULES)][:2] == [
        ("3000000",),
        ("25",),
    ]


@pytest.mark.parametrize(
    ("real", "said", "expected"),
    [
        ("It rose by two feet.", "Up 2 feet it went.", ["agreed"]),
        ("It rose by two feet.", "It rose by three feet.", ["contradicted"]),
        ("It rose by two feet.", "It rose a lot.", ["missing"]),
        ("From 2 to 3.", "From 2 to 4.", ["agreed", "contradicted"]),
        ("He left in May 2019.", "He left in 2019.", ["agreed"]),
        ("He left in May 2019.", "He left in May 2021.", ["contradicted"]),
        ("We met Conrad Pell.", "We met Pell.", ["agreed"]),
        ("It rained.", "It rained for 40 days.", []),
    ],
)
def test_facts_are_agreed_contradicted_or_missing(real: str, said: str, expected: list[str]) -> None:
    assert [status for _, status in compared(spans(real, RULES), spans(said, RULES))] == expected


def test_a_rewording_keeps_facts_and_denials() -> None:
    text = " ".join(t for t, _ in reworded_sentences(ANSWER, RULES, lot(1)))
    assert RULES.negated(text) == RULES.negated(ANSWER)
    known = names_in([ANSWER, text], RULES)
    assert {s.value for s in spans(text, RULES, known)} == {s.value for s in spans(ANSWER, RULES, known)}
    kinds = {e.kind for _, edits in reworded_sentences(ANSWER, RULES, lot(1)) for e in edits}
    assert {"synonym", "number as word", "contraction", "filler", "person"} <= kinds
    assert clauses_swapped("If you look at it, you will see.", RULES) == "You will see if you look at it."
    assert clauses_swapped("You will see.", RULES) is None


def test_a_larger_share_holds_the_smaller_one_and_all_are_as_long() -> None:
    topic = [f"Other thing number {i} came down the river that year, they say." for i in "abcdefghij"]
    made = of_answer(ANSWER, topic, RULES, "seed", OTHERS)
    doses = [made[f"claims_{share}"] for share in (0, 25, 50, 75, 100)]
    assert [d.covers for d in doses] == sorted({d.covers for d in doses}) and doses[0].covers == 0
    assert doses[-1].covers == doses[-1].agrees == 1
    assert all(set(a.kept) <= set(b.kept) for a, b in pairwise(doses))
    words = len(ANSWER.split())
    assert all(abs(len(d.text.split()) - words) < 15 for d in doses)
    assert made["half_reworded"].covers == made["half_reworded"].agrees == 0.6
    assert made["own_topic"].covers == 0
    assert abs(len(made["own_topic"].text.split()) - len(made["half_reworded"].text.split())) < 10


def test_controls_depend_on_the_seed_and_the_question_alone() -> None:
    people = [load_person(DEMO / "marrack")]
    asked, own = people[0].exchanges[-6:], people[0].exchanges[:30]
    alike = np.random.default_rng(0).random((6, 30), dtype=np.float32)
    made = made_controls(asked, own, alike, RULES, 1)
    assert made == made_controls(asked, own, alike, RULES, 1)
    assert made != made_controls(asked, own, alike, RULES, 2)
    alone = made_controls(asked[2:3], own, alike[2:3], RULES, 1)
    assert all(made[c][q] == edited for c, of in alone.items() for q, edited in of.items() if c != "edit_name")
    assert set(made) <= set(MADE)
    assert {"reworded", "half_reworded", "own_topic", "claims_50", "edit_polarity", "even_polarity"} <= set(made)
    for of in made.values():
        for edited in of.values():
            assert edited.text.strip() and 0 <= edited.agrees <= edited.covers <= 1 and edited.edits


def test_what_cannot_be_edited_is_left_out() -> None:
    asked = Exchange("i", 1, None, "And?", "Hm hm.")
    assert made_controls([asked], [], np.zeros((1, 0), dtype=np.float32), RULES, 1) == {} or set(
        made_controls([asked], [], np.zeros((1, 0), dtype=np.float32), RULES, 1)
    ) == {"reworded"}
    assert picked([Edit("synonym", 0, "a b", "c d")], 1) is None


def test_a_language_without_rules_is_not_examined_and_says_so() -> None:
    for found in (rules_for([GERMAN]), rules_for([ANSWER], "german"), rules_for([]), rules_for(["川が来た。"])):
        assert isinstance(found, NotExamined)
        assert "agreement not examined" in found.reason and "english" in found.reason
    assert rules_for([ANSWER]) is RULES
    with pytest.raises(RaftError, match="an included language: english"):
        load_rules("german")


def test_another_language_is_one_data_file(tmp_path: Path) -> None:
    path = tmp_path / "german.yaml"
    rules = {
        "language": "german", "common": [f"w{i}" for i in range(20)], "negations": ["nicht", "nie", "kein"], "turns": {"hat": "hat nicht"},
        "turned_back": {"nie": "immer"}, "antonyms": [["lange", "kurz"]], "synonyms": {"angesehen": ["betrachtet"]},
        "fillers": ["nun"],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(rules), "utf-8")
    found = rules_for([GERMAN], str(path))
    assert isinstance(found, Rules)
    made = of_answer(GERMAN, [], found, "seed", {})
    assert "immer gehört" in made["edit_polarity"].text or "hat nicht" in made["edit_polarity"].text
    assert "betrachtet" in made["reworded"].text
    assert "nur kurz angesehen" in made["edit_antonym"].text


def test_a_broken_file_of_rules_is_refused_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("language: odd\ncommon: [a]\nnegations: [no]\nmoods: []\n", "utf-8")
    with pytest.raises(DataError) as caught:
        load_rules(str(path))
    assert {p.split(": ")[0] for p in caught.value.problems} == {f"{path}:{n}" for n in (2, 3, 4)}
    path.write_text(
        (FOLDER / "english.yaml").read_text("utf-8").replace("\nsynonyms:\n", "\nsynonyms:\n  higher: [lower]\n")
    )
    with pytest.raises(DataError, match="higher/lower"):
        load_rules(str(path))


SAID = "I told Askey about 3 herons. The flood was not my fault."


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("It was to Askey that I mentioned three herons. Nobody can blame me for the flood, though.", ""),
        ("Three herons, I mentioned to Askey. I can't be blamed for that water.", ""),
        (SAID, "a copy"),
        ("", "empty"),
        ("It was to Askey that I mentioned four herons. The water can't be blamed on me.", "number lost: 3"),
        ("It was to Pell that I mentioned three herons. The water can't be blamed on me.", "name lost: Askey"),
        ("It was to Askey that I mentioned three herons. The water can be blamed on me.", "0 denials for 1"),
        ("To Askey, in 2019, I mentioned three herons. The water can't be blamed on me.", "date new: 2019"),
        ("Herons.", "words for"),
        ("It was to Askey that I mentioned three herons. I can't be blamed. " * 40, "words for"),
    ],
)
def test_a_paraphrase_is_checked_back(reply: str, fault: str) -> None:
    found = paraphrased(SAID, lambda text: reply, RULES)
    if not fault:
        assert found.faults == () and found.edited and found.edited.agrees == found.edited.covers == 1
    else:
        assert found.edited is None and any(fault in f for f in found.faults)
        assert all(len(f) < 400 for f in found.faults)


def test_a_paraphrase_must_keep_every_claim() -> None:
    def embed(texts: Sequence[str]) -> list[NDArray[np.float32]]:
        about = [[float("heron" in t.casefold()), float("flood" in t or "water" in t), 0.1] for t in texts]
        return [np.array(v, dtype=np.float32) / np.float32(np.linalg.norm(v)) for v in about]

    good = "It was to Askey that I mentioned three herons. The water can't be blamed on me."
    lost = "It was to Askey that I mentioned three herons. They wouldn't mind it either."
    assert paraphrased(SAID, lambda _: good, RULES, embed).faults == ()
    faults = paraphrased(SAID, lambda _: lost, RULES, embed).faults
    assert faults == ("claim lost: The flood was not my fault.", "claim new: They wouldn't mind it either.")


def test_signs_that_are_no_text_are_dropped_from_a_paraphrase() -> None:
    reply = "It was to Askey\x00 that I mentioned\x1b[31m three herons. The water can't be blamed on me."
    found = paraphrased(SAID, lambda _: reply, RULES)
    assert found.edited is None or found.edited.text.isprintable()


def test_the_log_tells_a_reader_what_is_covered_and_agreed() -> None:
    edits = (Edit("synonym", 0, "a", "b", 0), Edit("polarity", 9, "is", "is not", 1))
    edited = Edited("b. c is not.", edits, 4, (0, 1))
    assert (edited.covers, edited.agrees, edited.changed) == (0.5, 0.25, 2)


def test_no_rewording_touches_a_name_or_a_date() -> None:
    text = "I saw the River Trust in May. You may go to the river."
    assert {e.before for e in rewordings(text, RULES)} == {"I", "river"}
    assert [e.before for e in turns(text, "polarity", RULES, lot(0))] == ["may"]


def test_real_interviews_can_be_edited(shared: Path) -> None:
    from ratf.suite.study import open_study

    study = open_study("fed-chairs", str(shared))
    alike = np.zeros((len(study.held_out), len(study.earlier)), dtype=np.float32)
    made = made_controls(study.held_out, study.earlier, alike, RULES, 1)
    few = {name: len(of) for name, of in made.items() if len(of) < 30}
    # facts of one kind are rare in speech; of any kind, and what turns a sentence round, there is enough
    assert set(few) <= {f"{side}_{kind}" for side in ("edit", "even") for kind in ("date", "name", "number")}
