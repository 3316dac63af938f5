import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raft.text import (
    by_script,
    count_words,
    ends_sentence,
    estimated_tokens,
    folded,
    joined,
    length,
    run_ends,
    runs,
    sentences,
    shorten,
    windows,
    words_between,
)

ENGLISH_END = re.compile(r"""(?:(?<=[.!?])|(?<=[.!?]["')\]’”]))\s+(?=["'(\[“‘]?[A-Z0-9])""")
"""How sentences of English were cut before there were others."""

PARTS = [
    "The weir.",
    " ",
    "\n\n",
    '"Why?"',
    "Mr. Fenn",
    "(It holds.)",
    "5 men",
    "no. yes",
    "!",
    "it’s",
    "a-b",
    ". A",
    "…",
]
ENGLISH = st.lists(st.sampled_from(PARTS), max_size=30).map("".join)
ANY = st.text(st.sampled_from("水渡口。！？「」，ฝายน้ำ पानी।a Б. 1かカ한글‌\u200b\n“”"), max_size=80)


@pytest.mark.parametrize(
    "said",
    [
        ["¿Qué pasó?", "¡Nada!", "Él se fue.", "¿qué más?", "Sí."],
        ["Запруда держит воду.", "Её строили долго!", "Да."],
        ["पानी रुकता है।", "नदी बहती है॥", "अच्छा।"],
        ["هل تعلم؟", "نعم.", "ثم ذهب."],
        ["Er sagte: „Ja.“", "Dann ging er.", "Übrigens nicht."],
        ["« Oui. »", "Il part.", "Élan."],
        ["He said it to Mr. fenn.", "“Then he left.”", "5 men saw it."],
        ["שלום.", "הוא הלך."],
    ],
)  # fmt: skip
def test_sentences_with_spaces_between_them(said: Sequence[str]) -> None:
    assert sentences(" ".join(said)) == said
    assert joined(said) == " ".join(said)


@pytest.mark.parametrize(
    "said",
    [
        ["他说：“水来了。”", "我走了！", "真的？？", "是。", "３．５米。"],
        ["「はい。」と言った。", "次です。"],
        ["水位是3.5米。", "5月涨水。"],
    ],
)
def test_sentences_without(said: Sequence[str]) -> None:
    assert sentences("".join(said)) == said
    assert joined(said) == "".join(said)


@given(ENGLISH)
def test_english_is_cut_counted_and_shortened_as_ever(text: str) -> None:
    assert sentences(text) == ENGLISH_END.split(text.strip())
    assert count_words(text) == len(text.split())
    kept: list[str] = []
    for sentence in ENGLISH_END.split(text):
        if len(" ".join([*kept, sentence]).split()) > 7:
            break
        kept.append(sentence)
    old = " ".join(kept) or " ".join(text.split()[:7])
    assert shorten(text, 7) == (text if len(text.split()) <= 7 else old)


@given(ANY, st.integers(1, 20))
def test_nothing_is_lost_and_no_limit_is_passed(text: str, words: int) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())
    assert count_words(shorten(text, words)) <= max(words, 0)
    both = words_between(text, 0, words) + words_between(text, words, 10_000)
    assert "".join(both.split()) == "".join(text.split())


def test_two_characters_are_a_word_where_there_are_no_spaces() -> None:
    assert count_words("堰坝把水留在池子里，船才能掉头。") == 7
    assert count_words("用Python写程序") == 4
    assert count_words("ฝายกั้นน้ำไว้ในสระ") == 7
    assert [count_words(t) for t in ("", "。", "पानी रुकता है।", "한국어 문장입니다.")] == [0, 1, 3, 2]
    assert shorten("堰坝留水。船能掉头。我父亲教我记水位，一天也不能少。", 5) == "堰坝留水。船能掉头。"
    assert shorten("堰坝把水留在池子里船才能掉头", 3) == "堰坝把水留在"


def test_a_run_of_eight_words_is_one_of_sixteen_characters() -> None:
    words = by_script(["堰坝把水留在池子里", "船才能掉头了吗", "ok"])
    assert [len(run) for run in runs(words, 8)] == [16, 16, 15], "the last is of 14 characters and a word"
    assert runs([str(n) for n in range(9)], 8) == [tuple("01234567"), tuple("12345678")]
    assert length(words) == 9


@given(st.lists(st.sampled_from(["水", "渡", "weir", "पानी"]), max_size=40), st.integers(1, 9))
def test_every_run_is_just_long_enough(words: list[str], size: int) -> None:
    ends = run_ends(words, size)
    assert all(size <= length(words[a:b]) and length(words[a : b - 1]) <= size for a, b in enumerate(ends))
    assert all(length(words[a:]) < size or a < len(ends) or (length(words[a:]) == size) for a in range(len(words)))


@given(st.integers(0, 400))
def test_windows_reach_the_end(count: int) -> None:
    words = [str(n) for n in range(count)]
    assert windows(" ".join(words), 100, 50) == [" ".join(words[i : i + 100]) for i in range(0, max(1, count - 50), 50)]


def test_one_spelling() -> None:
    assert folded("ＡＢＣ１２３") == "ABC123" and folded("cafe\u0301") == "café"
    assert folded("مُحَمَّد") == "محمد" and folded("می\u200cخواهم") == "میخواهم"


@pytest.mark.parametrize(
    ("text", "ends"), [("A weir.", True), ('"Go!"', True), ("守堰坝的人。", True), ("a weir", False), ("水", False), ("", False), ("है।", True)]
)  # fmt: skip
def test_whether_a_text_ends_as_a_sentence(text: str, ends: bool) -> None:
    assert ends_sentence(text) is ends


def test_tokens_are_four_letters_of_latin_and_one_without_spaces() -> None:
    assert [estimated_tokens(t) for t in ("abcdefgh", "堰坝把水", "вода", "")] == [2, 4, 2, 0]
