from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from raft.errors import DataError
from raft.formats.yaml_file import MAX_BYTES, front_matter, read_model
from raft.people.folders import inside
from raft.people.person import load_about
from raft.sources.files import read_writings
from ratf.gate.policy import load_policy
from ratf.models.prices import load_prices
from ratf.suite.recipes import build, load_recipe
from ratf.suite.rubric import read_rubric, shipped
from ratf.suite.study import open_study
from ratf.suite.suite import load_suite

READERS = [load_suite, load_policy, read_rubric, load_recipe, load_prices, lambda path: load_about(path.parent)]
BOMB = "l0: &l0 [lol, lol]\n" + "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = 0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""
    parts: list[Inner] = []
    named: dict[str, Inner] = {}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "person.yaml:1: its aliases stand for more than 2,097,152 characters"),
        ("a: &a\n  - *a\n", "person.yaml:1: an alias stands inside what it stands for"),
        ("name: A\nname: B\n", "person.yaml:2: 'name' is there twice, first in line 1; keep one"),
        ("a:\n  - {b: 1, b: 2}\n", "person.yaml:2: 'b' is there twice, first in line 2"),
        ("yes: 1\ntrue: 1\n", "person.yaml:2: 'true' is there twice, first in line 1"),
        ("a:\n  b: " + "9" * 5000, "person.yaml:2: a number of 5,000 characters; one has at most 100"),
        ("a: 0x" + "f" * 5000, "person.yaml:1: a number of 5,002 characters"),
        ("a: 1\nb: .nan", "person.yaml:2: .nan is not a finite number"),
        ("a: [1.0e+999]", "person.yaml:1: 1.0e+999 is not a finite number"),
        ("a:\n  " + "[" * 9999, "person.yaml:2: not YAML: nested deeper than 40 levels"),
        ("a:\n" + "- x\n" * 150_000, "person.yaml:20000: not YAML: more than 20,000 keys and values"),
        ("x" * (MAX_BYTES + 1), "person.yaml: longer than 1,048,576 bytes"),
        ("a: 2024-99-01", "person.yaml:1: not YAML: month must be in 1..12"),
        ("a: 1\nb: !!python/object:os.system x", "person.yaml:2: not YAML: could not determine a constructor"),
        ("? [a, b]\n: 1", "person.yaml:1: a list or a mapping is the key of another value"),
        ("a: \x07", "not YAML"),
        ("- a", "person.yaml:1: it holds"),
    ],
    ids=lambda x: str(x)[:20],
)
def test_what_no_yaml_file_may_hold(tmp_path: Path, read: Any, text: str, says: str) -> None:
    (tmp_path / "person.yaml").write_text(text, "utf-8")
    start = process_time()
    with pytest.raises(DataError) as refused:
        read(tmp_path / "person.yaml")
    assert says in str(refused.value) and len(str(refused.value)) < 10_000
    assert process_time() - start < 5


def test_a_folder_or_a_loop_of_links_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    for path in (tmp_path, tmp_path / "loop.yaml", tmp_path / "nothing.yaml"):
        with pytest.raises(DataError, match=r"cannot be read|no such file"):
            read_model(path, Outer)


def test_every_problem_has_its_line_and_its_valid_keys(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text("name: x\nparts:\n  - size: 1\n  - sise: 2\nnamed:\n  k:\n    size: y\nmore: 1\n", "utf-8")
    with pytest.raises(DataError) as refused:
        read_model(path, Outer, hint="look again")
    places = [problem.removeprefix(f"{path}:") for problem in refused.value.problems]
    assert places[0] == "4: parts[1].sise: is not a known key; the keys are: size; look again"
    assert places[1].startswith("7: named.k.size: Input should be a valid integer")
    assert places[2] == "8: more: is not a known key; the keys are: name, parts, named; look again"
    path.write_text("".join(f"k{i}: 1\n" for i in range(5000)), "utf-8")
    with pytest.raises(DataError) as refused:
        read_model(path, Outer)
    assert len(refused.value.problems) == 21 and "4,980 more problems" in refused.value.problems[-1]


def test_aliases_and_merges_within_bounds_are_read(tmp_path: Path) -> None:
    path = tmp_path / "o.yaml"
    path.write_text("named:\n  a: &a {size: 3}\n  b: *a\n  c: {<<: *a}\n", "utf-8")
    assert {k: v.size for k, v in read_model(path, Outer).named.items()} == {"a": 3, "b": 3, "c": 3}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=4), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abcd", max_size=6), VALUES, max_size=4))
def test_what_yaml_writes_is_read_back(facts: dict[str, Any]) -> None:
    head = yaml.safe_dump(facts, allow_unicode=True)
    assert front_matter(f"---\n{head}---\nWords.", "a.md") == (facts, "Words.")


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab:-[]{}&*!|>?'\"#%,\n 0.~<"), max_size=60))
def test_other_texts_are_read_or_refused(text: str) -> None:
    try:
        facts, _ = front_matter(f"---\n{text}\n---\nWords.", "a.md")
    except DataError:
        return
    assert isinstance(facts, dict)


def test_a_bomb_in_front_matter_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"---\n{BOMB}title: *l11\n---\nWords.", "utf-8")
    with pytest.raises(DataError, match=r"a\.md:1: its aliases stand for more"):
        read_writings(tmp_path / "a.md")
    (tmp_path / "b.md").write_text("---\ntitle: A\ntitle: B\n---\nWords.", "utf-8")
    with pytest.raises(DataError, match=r"b\.md:3: 'title' is there twice, first in line 2"):
        read_writings(tmp_path / "b.md")


@pytest.mark.parametrize("field", ["{real:>3000000000}", "{real:d}", "{real!r}", "{real:{question}}", "{real.x}", "{}"])
def test_a_prompt_names_its_texts_alone(tmp_path: Path, field: str) -> None:
    path = tmp_path / "evil.yaml"
    made = shipped()["stance"].model_dump() | {"name": "evil", "prompt": "{question} {answer} " + field}
    path.write_text(yaml.safe_dump(made), "utf-8")
    with pytest.raises(DataError, match=r"evil\.yaml:1: record: the prompt"):
        read_rubric(path)


@pytest.mark.parametrize(
    "key", ["../pell", "/pell", "./pell", "..", ".", "pell/", "a\\b", "", ".hidden", "a\nb", "x" * 200]
)
def test_a_person_is_named_and_not_led_to(tiny: Path, tmp_path: Path, key: str) -> None:
    suite = yaml.safe_load(tiny.read_text("utf-8"))
    for wrong in ({"person": key}, {"impostors": [key]}):
        tiny.write_text(yaml.safe_dump(suite | wrong), "utf-8")
        with pytest.raises(DataError, match="is not the name of a person's folder"):
            load_suite(tiny)
    recipe = tmp_path / "r.yaml"
    person = {"about": {"name": "A", "introduction": "B"}, "interviews": [], "writings": []}
    recipe.write_text(yaml.safe_dump({"site": "http://127.0.0.1:1/", "people": {key: person}}), "utf-8")
    with pytest.raises(DataError, match="is not the name of a person's folder"):
        load_recipe(recipe)


def test_a_link_leads_to_nobody_else(tiny: Path, tmp_path: Path) -> None:
    suite = yaml.safe_load(tiny.read_text("utf-8"))
    (tiny.parent / "twin").symlink_to(tiny.parent / "marrack")
    tiny.write_text(yaml.safe_dump(suite | {"impostors": ["pell", "twin"]}), "utf-8")
    with pytest.raises(DataError, match="'twin' is 'marrack' by another name"):
        open_study(str(tiny))
    outside = tmp_path / "elsewhere" / "pell"
    outside.parent.mkdir()
    (tiny.parent / "pell").rename(outside)
    (tiny.parent / "pell").symlink_to(outside)
    tiny.write_text(yaml.safe_dump(suite), "utf-8")
    with pytest.raises(DataError, match=r"pell: leads out of .*; a person's folder lies inside it"):
        open_study(str(tiny))
    with pytest.raises(DataError, match="leads out of"):
        inside(tiny.parent, "pell")
    recipe = tmp_path / "r.yaml"
    person = {"about": {"name": "A", "introduction": "B"}, "interviews": [], "writings": []}
    recipe.write_text(yaml.safe_dump({"site": "http://127.0.0.1:1/", "people": {"pell": person}}), "utf-8")
    with pytest.raises(DataError, match="leads out of"):
        build(load_recipe(recipe), tiny.parent, tmp_path / "cache", lambda url: pytest.fail("nothing is fetched"))


def test_a_character_that_yaml_does_not_allow_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"name: Mara\nage: \0 7\n")
    with pytest.raises(DataError, match=r"a.yaml:2: not YAML: .* U\+0000"):
        read_model(tmp_path / "a.yaml", dict[str, str])
