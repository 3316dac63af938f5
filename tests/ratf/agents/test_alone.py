"""`inspect eval ratf/interview` says in a sentence what it cannot do."""

import re
from pathlib import Path

import pytest
from inspect_ai._util.error import PrerequisiteError
from without_torch import core

from ratf._registry import interview


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"arm": "nope"}, r"arm=nope: no arm or control is called that; there are baseline, .*, real, "),
        ({"suite": "nowhere"}, r"nowhere: no such suite file; the suites that come along are: demo, fed-chairs"),
        ({"suite": "demo", "data": "nowhere"}, r"the person 'marrack' has no folder in nowhere"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments: dict[str, str], says: str) -> None:
    with pytest.raises(PrerequisiteError) as error:
        interview(**arguments)
    assert re.search(says, str(error.value.message))


def test_what_is_not_installed_is_one_sentence_with_the_extra_whole(tmp_path: Path) -> None:
    done = core(tmp_path, "inspect_ai", "eval", "ratf/interview", "--limit", 1, COLUMNS="500")
    said = done.stdout + done.stderr
    assert "torch is not installed here, and the suite needs it for models" in said, said
    assert "pip install 'FOLDER[local]'" in said and "Traceback" not in said
