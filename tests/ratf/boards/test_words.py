"""What the board's pages call runs, and say of the runs of one system."""

from raft.text import number_of
from ratf.boards.standing import Adapter, Ran, System
from ratf.boards.words import Badge, adapters_said, differing, in_order, names, snippets, spent


def ran(day: str, seed: object, id: str = "a" * 12, person: str = "p", **more: object) -> Ran:
    about = {
        "suite": "s",
        "digest": "d",
        "person": person,
        "board": "b",
        "verified": False,
        "results": id * 5,
        "usd": None,
    }
    return Ran.model_validate(
        {**about, "id": id, "finished": day, "seed": seed, "tokens": None, "adapters": {}, "standings": [], **more}
    )


def test_runs_have_names_of_their_own_with_no_more_than_that_takes() -> None:
    several = [
        ran("2026-01-02 09:00 UTC", 1, "a"),
        ran("2026-01-02 10:00 UTC", 1, "b"),
        ran("2026-01-02 10:00 UTC", 2, "c"),
        ran("2026-01-01 10:00 UTC", 10, "d"),
        ran("2026-01-01 10:00 UTC", 10, "e"),
        ran("", 3, "f"),
        ran("2026-01-02 10:00 UTC", 2, "g", "q"),
    ]
    assert names(several) == {
        "a": "2026-01-02 09:00, seed 1",
        "b": "2026-01-02 10:00, seed 1",
        "c": "2026-01-02, seed 2",
        "d": "2026-01-01 10:00, seed 10, d",
        "e": "2026-01-01 10:00, seed 10, e",
        "f": "f, seed 3",
        "g": "2026-01-02, seed 2",
    }
    assert [r.id for r in in_order(several[::-1])][:6] == ["d", "e", "a", "b", "c", "g"]


def test_a_seed_that_ran_with_other_weights_is_told() -> None:
    def with_adapter(seed: int, asked: str, digest: str, weights: str) -> Ran:
        adapters = {"s": Adapter(asked=asked, digest=digest, weights=weights)}
        return ran("2026-01-01 10:00 UTC", seed, f"{seed}{weights}", adapters=adapters)

    def told(*several: Ran) -> list[str]:
        return adapters_said("s", several, names(several))

    a, b = with_adapter(1, "x", "x", "a1b2"), with_adapter(1, "x", "x", "c3d4")
    assert told(a, b) == ["Seed 1 ran with two different sets of weights: a1b2, c3d4."]
    assert (
        told(a, with_adapter(2, "y", "y", "c3d4"), with_adapter(1, "x", "x", ""))
        == []
        == adapters_said("t", [a, b], {})
    )
    (said,) = told(a, with_adapter(2, "x", "z", "c3d4"))
    assert said.endswith("seed 2 asked for the adapter x and answered with z.")


def test_sums_leave_out_runs_whose_replies_were_kept_and_say_so() -> None:
    paid, kept = ran("", 1, usd=0.5, tokens=1200), ran("", 2, kept=True)
    assert spent([paid, paid]) == "$1.00, 2,400 tokens in all"
    assert spent([paid, kept]) == "$0.50, 1,200 tokens in all, without 1 whose replies were kept from earlier"
    assert "$" not in spent([kept]) and "not known" in spent([ran("", 3)])
    assert (number_of(1, "run"), number_of(0, "run"), number_of(2, "system")) == ("1 run", "0 runs", "2 systems")


def test_settings_that_another_system_has_otherwise_are_found() -> None:
    one, other = (
        System(id=n, arm="raft", words="", model="m", settings={"training.rank": r, "answers.top_p": 1.0})
        for n, r in (("a", 8), ("b", None))
    )
    assert differing(one, [one, other]) == [("training.rank", "8", ["not set"])]


def test_a_badge_is_ready_to_copy_and_its_words_stay_text() -> None:
    made = snippets(Badge("badges/b/s.svg", "s", 'x"><script>]', "A [0 to 1]"), "s")
    assert made["Markdown"].startswith("[![") and made["Markdown"].endswith("](badges/b/s.svg)](systems/s.html)")
    assert "\\]: A \\[0 to 1\\]" in made["Markdown"] and "<script>" not in made["HTML"]
