"""Examples of training samples are cut."""

from hypothesis import given
from hypothesis import strategies as st

from ratf.tuned import cut


def test_a_long_text_is_cut_at_a_word_and_says_how_much_is_missing() -> None:
    assert cut("one  two\nthree four", 2) == "one  two … (2 more words)"
    assert cut("one\ntwo", 2) == "one\ntwo"


@given(st.text(), st.integers(1, 5))
def test_what_is_kept_is_the_start_of_the_text(text: str, most: int) -> None:
    kept, _, more = cut(text, most).partition(" … (")
    if more and text != cut(text, most):
        assert text.startswith(kept) and len(kept.split()) == most and more.startswith(str(len(text.split()) - most))
    else:
        assert cut(text, most) == text
