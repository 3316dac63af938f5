"""How long the program takes to say something."""

from pathlib import Path

from benchmarks.bench.rows import Row, process, processes_in_turns, program

SUITES = Path(__file__).parent.parent


def starts(data: Path | None, quick: bool) -> list[Row]:
    """Help and plans."""
    rounds = 3 if quick else 7
    took = processes_in_turns(
        {name: lambda name=name: process([program(name), "--help"]) for name in ("ratf", "inspect")}, rounds
    )
    rows = [Row("Start", "`ratf --help`", "s", "less", took["ratf"].wall, "`inspect --help`", took["inspect"].wall)]
    plans = {"demo": [str(SUITES / "demo.yaml")]}
    if data:
        plans["fed-chairs"] = [str(SUITES / "fed-chairs.yaml"), "--data", str(data)]
    for name, arguments in plans.items():
        used = processes_in_turns({"ours": lambda a=arguments: process([program("ratf"), "plan", *a])}, rounds)["ours"]
        bar = {"fed-chairs": "≤ 2 s"}.get(name, "")
        rows.append(
            Row(
                "Start",
                f"`ratf plan` of {name}",
                "s",
                "less",
                used.wall,
                bar=bar,
                reached=used.wall <= 2 if bar else None,
            )
        )
    return rows  # fmt: skip
