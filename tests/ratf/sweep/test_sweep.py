"""The file of a sweep: what cells it stands for, and what of it is refused, with its line."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from sweeps import SETTINGS, person

import ratf
from raft.errors import DataError, RaftError
from ratf.suite.suite import load_suite
from ratf.sweep.sweep import chosen, is_sweep, open_sweep, setting_name, share

PEOPLE = ["ada", "bea", "cyd"]
ARMS = {"arms": ["baseline", "rag_only"], "primary": {"metric": "rouge_l", "better": "rag_only", "than": "baseline"}}


@pytest.fixture(autouse=True)
def people(tmp_path: Path) -> None:
    for number, key in enumerate([*PEOPLE, "dot"]):
        person(tmp_path, key, number, interviews=3, questions=1)


def written(tmp_path: Path, **more: Any) -> Path:
    path = tmp_path / "several.yaml"
    made = {**SETTINGS, **ARMS, "people": PEOPLE, **more}
    path.write_text(yaml.safe_dump({k: v for k, v in made.items() if v is not None}, sort_keys=False), "utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(DataError) as error:
        open_sweep(path)
    return str(error.value)


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text("utf-8").splitlines(), 1) if text in line)


def test_people_and_settings_are_crossed_and_named(tmp_path: Path) -> None:
    path = written(
        tmp_path, matrix={"memories.k": [1, 3], "seed": [1, 2]}, exclude=[{"person": "cyd", "memories.k": 3}]
    )
    sweep = open_sweep(path, out=tmp_path / "run")
    assert is_sweep(path) and len(sweep.cells) == 3 * 2 * 2 - 2
    cell = next(c for c in sweep.cells if c.name == "bea/k-3_seed-2")
    assert (cell.suite.person, cell.suite.memories.k, cell.suite.seed) == ("bea", 3, 2)
    assert cell.suite.impostors == ["ada", "cyd"] and cell.suite.name == "several"
    assert sweep.reference == {"memories.k": 1} and sweep.cell_folder(cell) == tmp_path / "run/cells/bea/k-3_seed-2"
    assert not any(c.person == "cyd" and c.setting["memories.k"] == 3 for c in sweep.cells)


def test_a_cell_is_the_suite_that_one_would_write_by_hand(tmp_path: Path) -> None:
    cell = open_sweep(written(tmp_path, matrix={"memories.k": [2]})).cells[0]
    hand = tmp_path / "hand.yaml"
    alone = {**SETTINGS, **ARMS, "person": "ada", "impostors": ["bea", "cyd"], "memories": {"k": 2}}
    hand.write_text(yaml.safe_dump(alone), "utf-8")
    assert load_suite(hand) == cell.suite


def test_impostors_are_a_list_the_others_or_given_by_person(tmp_path: Path) -> None:
    def impostors(given: object, **more: Any) -> dict[str, list[str]]:
        return {c.person: c.suite.impostors for c in open_sweep(written(tmp_path, impostors=given, **more)).cells}

    assert impostors(["dot", "ada"]) == {"ada": ["dot"], "bea": ["dot", "ada"], "cyd": ["dot", "ada"]}
    assert impostors({"ada": ["dot"], "bea": "others", "cyd": ["ada"]})["bea"] == ["ada", "cyd"]
    assert impostors("others", strangers=["cyd"])["ada"] == ["bea"], "a stranger is nobody's impostor"


def test_people_as_a_mapping_still_describe_the_people_of_one_suite(tmp_path: Path) -> None:
    about = {"name": "Ada", "introduction": "Ada.", "licence": "CC0", "consent": "invented"}
    path = written(tmp_path, people={"ada": about}, person="ada", impostors=["bea"])
    assert not is_sweep(path) and load_suite(path).people["ada"].name == "Ada"
    crossed = written(tmp_path, people={"ada": about}, person="ada", impostors=["bea"], matrix={"seed": [1, 2]})
    assert [c.suite.people["ada"].name for c in open_sweep(crossed).cells] == ["Ada", "Ada"]
    described = open_sweep(written(tmp_path, about={"ada": about}))
    assert [sorted(c.suite.people) for c in described.cells] == [["ada"]] * 3, "everybody knows who ada is"


def test_arms_take_the_persons_name_into_their_files(tmp_path: Path) -> None:
    arm = {"name": "mine", "solver": "agent.py@{person}", "args": {"folder": "people/{person}"}}
    (tmp_path / "agent.py").write_text("", "utf-8")
    cells = open_sweep(written(tmp_path, arms=["baseline", "rag_only", arm])).cells
    assert [(c.suite.own[0].solver, c.suite.own[0].args["folder"]) for c in cells][1] == ("agent.py@bea", "people/bea")


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, matrix={"memories.q": [1], "colour": [2]})
    assert f"{path}:{line_of(path, 'colour')}: matrix: no setting of a suite is called 'colour'" in refused(path)
    path = written(tmp_path, matrix={"memories.k": [1, -3]})
    assert (
        f"{path}:{line_of(path, 'memories.k')}: matrix.memories.k" in (said := refused(path))
        and "in the cell ada/k-" in said
    )
    arms = ["baseline", "rag_only", {"name": "bot", "answers": "nowhere-{person}.jsonl"}]
    path = written(tmp_path, arms=arms)
    assert f"{path}:{line_of(path, '- rag_only') + 1}: arms.bot: answers: " in (said := refused(path))
    assert "nowhere-ada.jsonl is no file" in said
    path = written(tmp_path, memories={"kk": 3})
    assert f"{path}:{line_of(path, 'kk')}: memories.kk: is not a known key" in refused(path)
    assert "the people: ada, bea, cyd" in refused(
        written(tmp_path, impostors={**dict.fromkeys(PEOPLE, "others"), "eve": "others"})
    )
    assert "no cell has memories.k: 9; its values are: 1, 3" in refused(
        written(tmp_path, matrix={"memories.k": [1, 3]}, exclude=[{"memories.k": 9}])
    )
    assert "leaves no cell at the reference setting" in refused(
        written(tmp_path, matrix={"memories.k": [1, 3]}, exclude=[{"memories.k": 1}])
    )
    assert "twice; name each value once" in refused(written(tmp_path, matrix={"seed": [1, 1]}))
    assert "keep one" in refused(written(tmp_path, person="ada"))
    described = refused(written(tmp_path, people={"ada": {"name": "Ada"}, "bea": {"name": "Bea"}}))
    assert "write people: [ada, bea] and call the mapping about" in described
    path = written(tmp_path, people=["ada", "nobody"])
    assert f"{path}:{line_of(path, 'people:')}: nobody has no folder" in refused(path)


def test_what_is_for_one_suite_says_what_takes_many(tmp_path: Path) -> None:
    for path in (
        written(tmp_path),
        written(tmp_path, people=None, person="ada", impostors=["bea"], matrix={"seed": [1]}),
    ):
        with pytest.raises(DataError, match=r"many runs.*ratf\.run_sweep"):
            ratf.open_study(path)


def test_only_chooses_cells_and_names_what_there_is(tmp_path: Path) -> None:
    sweep = open_sweep(written(tmp_path, matrix={"memories.k": [1, 3], "seed": [1, 2]}))
    assert [c.name for c in chosen(sweep, ["person=bea,k=3"])] == ["bea/k-3_seed-1", "bea/k-3_seed-2"]
    assert len(chosen(sweep, ["seed=1", "person=ada"])) == 6 + 2
    for wrong, told in (
        ("person=eve", "the values are: ada, bea, cyd"),
        ("q=1", "one of the keys person, memories.k, seed"),
    ):
        with pytest.raises(RaftError, match=told):
            chosen(sweep, [wrong])


def test_shards_share_all_cells_out_alike_on_every_machine(tmp_path: Path) -> None:
    sweep = open_sweep(written(tmp_path, matrix={"seed": [1, 2, 3]}))
    shares = [share(sweep, sweep.cells, f"{k}/4") for k in range(1, 5)]
    assert sorted(c.name for s in shares for c in s) == sorted(c.name for c in sweep.cells)
    assert {len(s) for s in shares} == {2, 3} and shares[1] == share(open_sweep(sweep.path), sweep.cells, "2/4")
    assert [c.name for s in shares for c in s] != [c.name for c in sweep.cells], "by lot, not in order"
    for wrong in ("0/2", "3/2", "1", "a/b"):
        with pytest.raises(RaftError, match="write K/N"):
            share(sweep, sweep.cells, wrong)


def test_names_of_settings_tell_values_apart() -> None:
    names = [setting_name({"models.base": v}) for v in ("local/a", "local-a", "local/../../b", "x" * 200)]
    assert names[1] == "base-local-a" and names[0].startswith("base-local-a-") and len(set(names)) == 4
    assert not any("/" in name or len(name) > 130 for name in names)
    assert setting_name({"memories.k": 3, "seed": 1}) == "k-3_seed-1"
