"""Spoilt files of every kind, each given to the command that reads it: `python tests/fuzz/mutate.py [SEED [CASES]]`.

Of each kind there are spoilt files that must be refused, with the file and the line where it has lines, and as many again
that are spoilt at random. No command may show a traceback, take more than ten seconds, or accept what must be refused.
It prints a table of what was tried, then every case that failed, and ends with 1 where one did.
"""

import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]

from boards import planted  # noqa: E402
from mutations import archived, dumps, mutated, rebuilt, unpacked  # noqa: E402
from places import DATA, REPOSITORY  # noqa: E402

import raft.cli  # noqa: E402
import ratf.cli  # noqa: E402
from ratf.results.bundle import Sample, write_bundle  # noqa: E402
from ratf.results.results import save  # noqa: E402
from ratf.results.snapshot import save_baseline  # noqa: E402

LONGEST = 10
EACH = 20
"""The number of files of each kind that are spoilt at random."""
NO_LINE = re.compile(
    r"not UTF-8|longer than|no such|can(not|'t) be read|aliases stand for|nested deeper|a number of|no folder|line \d+: |no key of"
)
"""What is said of a file as a whole."""

Content = bytes
Spoil = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Kind:
    """A kind of file: its place in the folder of valid ones, the commands that read it, and what must be refused of it."""

    file: str
    commands: list[str]
    spoilt: dict[str, Spoil]
    lines: bool = True
    """Whether a refusal can name the line."""
    as_json: bool = False
    random: bool = True
    """Whether files spoilt at random are tried, too; what is accepted of a recording is a whole run."""


def said(old: str, new: str) -> Spoil:
    """The file with one text instead of another, which must be in it."""

    def spoil(whole: bytes) -> bytes:
        assert old.encode() in whole, old
        return whole.replace(old.encode(), new.encode(), 1)

    return spoil


def more(text: str) -> Spoil:
    return lambda whole: whole.rstrip(b"\n") + b"\n" + text.encode("utf-8", "surrogatepass")


def record(number: int, **changes: Any) -> Spoil:
    """A file of JSON lines, the record of that number changed; None takes a key out."""

    def spoil(whole: bytes) -> bytes:
        lines = whole.decode().splitlines()
        lines[number] = dumps(
            {k: v for k, v in (json.loads(lines[number]) | changes).items() if v is not None}
        ).decode()
        return "\n".join(lines).encode()

    return spoil


def value(*path: Any, to: Any = None) -> Spoil:
    """A JSON file with another value at that path."""

    def spoil(whole: bytes) -> bytes:
        made = at = json.loads(whole)
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = to(at[path[-1]]) if callable(to) else to
        return dumps(made)

    return spoil


def twice(*path: Any) -> Spoil:
    return value(*path, to=lambda items: [*items, items[0]])


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]\n" for n in range(8)
)
WHOLE: dict[str, Spoil] = {
    "utf-16": lambda whole: whole.decode().encode("utf-16"),
    "NUL": lambda whole: whole[:20] + b"\0" + whole[20:],
    "latin-1": lambda whole: whole + "# é\n".encode("latin-1"),
    "half of a surrogate pair": lambda whole: whole + b"\xed\xa0\x80",
    "70 MB": lambda whole: whole + b" " * 70 * 2**20,
    "nested 5,000 deep": lambda whole: whole.rstrip(b"\n") + b"\n" + b"z: " + b"[" * 5000 + b"]" * 5000,
    "cut off in a key": lambda whole: whole[: len(whole) // 2].rstrip() + b'\n{"a',
}
YAML: dict[str, Spoil] = {
    **WHOLE,
    "alias bomb": more(BOMB),
    "alias inside of itself": more("z: &z [*z]"),
    "an object of Python's": more("z: !!python/object/apply:os.system [ls]"),
    "misspelt key": more("sede: 1"),
    "a list": lambda whole: b"- a\n- b\n",
    "two documents": more("---\na: 1"),
    "5,000 digits": more("z: " + "9" * 5000),
    "tab": more("z:\n\t- a"),
}
JSONL: dict[str, Spoil] = {
    **{k: v for k, v in WHOLE.items() if k not in ("latin-1", "70 MB")},
    "first line twice": lambda whole: whole.splitlines(keepends=True)[0] + whole,
    "no JSON": lambda whole: b"{]\n" + whole,
    "a list": lambda whole: b"[1]\n" + whole,
    "NaN": lambda whole: b'{"id": NaN}\n' + whole,
    "5,000 digits": lambda whole: b'{"id": ' + b"9" * 5000 + b"}\n" + whole,
}
ANY_JSON: dict[str, Spoil] = {
    **{k: v for k, v in WHOLE.items() if k not in ("70 MB", "latin-1")},
    "empty": lambda whole: b"",
    "a list": lambda whole: b"[" + whole + b"]",
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "another key": value("of_the_future", to=1),
}
SCORE = ("questions", 0, "answers", "raft", "scores", "style_identity", "value")
RESULTS: dict[str, Spoil] = {
    **ANY_JSON,
    **{f"score {x!r}": value(*SCORE, to=x) for x in (float("nan"), float("inf"), 1e308, "1", True, [], {})},
    "score of 5,000 digits": value(*SCORE, to=10**5000),
    "suite without a primary": value("suite", to={"name": "a"}),
    "suite's arms a text": value("suite", "arms", to="raft"),
    "samples below one": value("suite", "answers", to={"samples": 0}),
    "primary of words": value("suite", "primary", "better", to="raft better than baseline on style_identity"),
    "primary on no metric": value("suite", "primary", "metric", to="charm"),
    "questions a text": value("held_out", "questions", to="24"),
    "fewer than none": value("held_out", "questions", to=-1),
    "question twice": twice("questions"),
    "contrast twice": twice("contrasts"),
    "exam twice": twice("exam"),
    "skill twice": twice("skill"),
    "no arms": value("arms", to={}),
    "no metrics": value("metrics", to={}),
    "lower is better": value("metrics", "style_identity", "better", to="lower"),
    "better in a new way": value("metrics", "style_identity", "better", to="sideways"),
    "person without a name": value("person", to={"key": "marrack"}),
    "errors untold": value("questions", 0, "answers", "raft", "state", to="error"),
    "verdict in other words": value("verdict", to="pass"),
    "18 of 24 too short": lambda whole: _too_short(whole),
}


def _too_short(whole: bytes) -> bytes:
    made = json.loads(whole)
    for question in made["questions"]:
        a, b = (question["answers"][arm]["scores"]["style_identity"]["value"] for arm in ("raft", "baseline"))
        if a < b + 0.05:
            question["answers"]["raft"]["scores"]["style_identity"] = {"value": None, "why": "too short: 2 words"}
    return dumps(made)


def inside(name: str, spoil: Spoil) -> Spoil:
    """A bundle with one of its files spoilt."""
    return lambda whole: archived({**(files := unpacked(whole)), name: spoil(files[name])})


def added(name: str) -> Spoil:
    return lambda whole: archived({**unpacked(whole), name: b"x"})


SUITE = """\
name: told
person: marrack
impostors: [pell]
split: {held_out_interviews: 3, questions: 6}
memories: {k: 2}
arms: [baseline, rag_only, {name: mine, answers: answers.jsonl}]
controls: [real, same_near, impostor_near]
metrics: [rouge_l, judge_aim]
models: {grader: openai/g}
primary: {metric: rouge_l, better: rag_only, than: baseline}
contamination: false
seed: 1
"""
POLICY = "critical:\n  - raft better than baseline on style.identity\n  - errors 0\nadvisory:\n  - tokens at most 100\n"
RECIPE = """\
site: http://127.0.0.1:9
people:
  linden:
    about: {name: Mara Linden, introduction: You keep weirs.}
    interviews: []
    writings:
      - {date: 2020-01-02, path: /eels.txt, title: Eels}
"""
TALK = (
    "Q: What does a weir do?\n\nLINDEN: It holds the river back, and lets it go when it has rested for a while.\n\n" * 9
)
MARRACK = "people/marrack/"
ONLY = {
    "lower is better": "check",
    "18 of 24 too short": "check",
    "answers elsewhere": "plan",
}
"""What only one command must refuse: what shows numbers judges none, and who asks for the questions has no answers yet."""

KINDS: dict[str, Kind] = {
    "suite": Kind("suite.yaml", ["ratf plan suite.yaml --data people", "ratf questions suite.yaml --data people"], {
        **YAML,
        "key twice": more("seed: 2"),
        "text for a number": said("seed: 1", "seed: many"),
        "infinite": said("k: 2", "k: .inf"),
        "NaN": said("k: 2", "gate: .nan"),
        "no person": said("person: marrack\n", ""),
        "a way out": said("person: marrack", "person: ../people/marrack"),
        "an absolute way": said("person: marrack", "person: /etc"),
        "her own impostor": said("[pell]", "[Marrack]"),
        "her own impostor, wide": said("[pell]", "[\uff4darrack]"),
        "turned around": said("[pell]", '["\u202epell"]'),
        "unknown metric": said("[rouge_l,", "[rouge_x,"),
        "unknown arm": said("[baseline,", "[bsaeline,"),
        "answers elsewhere": said("answers.jsonl", "nowhere.jsonl"),
        "minus one": said("questions: 6", "questions: -1"),
    }),
    "policy": Kind("policy.yaml", ["ratf check run --policy policy.yaml"], {
        **YAML,
        "key twice": more("critical: [errors 0]"),
        "no rule": said("errors 0", "errors few"),
        "no critical rule": said("critical", "supporting_"),
        "empty": lambda whole: b"",
        "a rule that is a number": said("errors 0", "0"),
        "declares nothing": more("declares: 0"),
        "NaN": more("declares: .nan"),
        "10 MB rule": said("errors 0", "errors 0" + "0" * 10**7),
    }),
    "rubric": Kind("judges/aim.yaml", ["ratf plan suite.yaml --data people"], {
        **YAML,
        "key twice": lambda whole: whole + b"\nversion: 9\n",
        "a format": said("{question}", "{question:>99999999}"),
        "an attribute": said("{question}", "{question.__class__}"),
        "an unknown place": said("{question}", "{answer_of_nobody}"),
        "empty": lambda whole: b"",
    }),
    "person": Kind(MARRACK + "person.yaml", [f"raft check {MARRACK}", "ratf questions suite.yaml --data people"], {
        **YAML,
        "no name": said("name:", "nom:"),
        "a list for a name": said("name:", "name: [a]\nb:"),
        "year 9999": more("knowledge_cutoff: 9999-12-31"),
        "no day": more("knowledge_cutoff: 2024-02-30"),
        "empty": lambda whole: b"",
    }),
    "interviews": Kind(MARRACK + "interviews.jsonl", [f"raft check {MARRACK}", f"raft leaks {MARRACK}"], {
        **JSONL,
        "no turns": record(1, turns=[]),
        "turns a text": record(1, turns="Q: A"),
        "no id": record(1, interview_id=None),
        "year 9999": record(1, date="9999-12-31"),
        "no day": record(1, date="2024-02-30"),
        "a number for a day": record(1, date=20240230),
        "unknown role": record(1, turns=[{"speaker": "A", "role": "boss", "text": "So."}]),
        "half of a character": record(1, turns=[{"speaker": "A", "role": "target", "text": "\ud800"}]),
    }),
    "writings": Kind(MARRACK + "writings.jsonl", [f"raft check {MARRACK}", f"raft chunk {MARRACK}"], {
        **JSONL,
        "blank": record(0, text="\u200b … \u2060"),
        "no text": record(0, text=None),
        "a list for a text": record(0, text=["a"]),
        "year 9999": record(0, date="9999-12-31"),
        "no day": record(0, date="yesterday"),
    }),
    "answers": Kind("answers.jsonl", ["ratf plan suite.yaml --data people"], {
        **JSONL,
        "unknown question": record(0, id="nowhere-q001"),
        "turned around": record(0, id="\u202e1q"),
        "no answer": record(0, answer=None),
        "a number": record(0, answer=7),
        "10 MB": record(0, answer="a " * 5_000_000),
    }),
    "recipe": Kind("recipe.yaml", ["ratf data recipe.yaml --out made"], {
        **YAML,
        "a way out": said("linden:", "../linden:"),
        "an absolute way": said("linden:", "/linden:"),
        "a path out": said("/eels.txt", "/../../eels.txt"),
        "no day": said("2020-01-02", "2020-02-30"),
        "another sha256": said("title: Eels", "sha256: 00"),
        "people a list": said("people:\n", "people: []\nrest:\n"),
    }),
    "transcript": Kind("talk.txt", ["raft import talk.txt --to new --target linden"], {
        "empty": lambda whole: b"",
        "nobody answers": lambda whole: whole.replace(b"LINDEN", b"SOMEBODY"),
        "NUL alone": lambda whole: b"\0" * 5000,
    }, lines=False),
    "subtitles": Kind("talk.vtt", ["raft import talk.vtt --to new --target linden"], {
        "empty": lambda whole: b"",
        "no speakers": lambda whole: re.sub(rb"<v [^>]*>", b"", whole),
    }, lines=False),
    "chat export": Kind("chat.json", ["raft import chat.json --to new --target linden"], {
        "empty": lambda whole: b"",
        "cut in half": lambda whole: whole[: len(whole) // 2],
        "5,000 deep": lambda whole: b"[" * 5000 + b"]" * 5000,
        "NaN": lambda whole: whole.replace(b'"', b"NaN", 1),
    }, lines=False, as_json=True),
    "document": Kind("eels.md", ["raft import eels.md --to new --as writing"], {
        "front matter bomb": lambda whole: b"---\n" + BOMB.encode() + b"---\n" + whole,
        "front matter twice": lambda whole: b"---\ntitle: a\ntitle: b\n---\n" + whole,
        "blank": lambda whole: b" \n\xe2\x80\x8b\n",
    }, lines=False),
    "results": Kind("run/results.json", [
        "ratf check run", "ratf report run --out page.html", "ratf report run --format md", "ratf report run --format csv",
        "ratf leaderboard run --out site", "ratf bundle run --out made.zip",
    ], RESULTS, lines=False, as_json=True),
    "baseline": Kind("baseline.json", ["ratf check run --baseline baseline.json"], {
        **ANY_JSON,
        "NaN": value("scores", "raft", to=lambda rows: {q: {"style_identity": float("nan")} for q in rows}),
        "a text": value("scores", "raft", to=lambda rows: {q: {"style_identity": "0.1"} for q in rows}),
        "other data": value("data_digest", to="other"),
        "no arm": value("scores", to={}),
        "suite a list": value("suite", to=[]),
    }, lines=False, as_json=True),
    "bundle": Kind("run.zip", ["ratf verify run.zip", "ratf leaderboard run.zip --out site"], {
        "empty": lambda whole: b"",
        "cut in half": lambda whole: whole[: len(whole) // 2],
        "a way out": added("../x"),
        "an absolute way": added("/etc/x"),
        "a bundle inside": lambda whole: archived({"results.json": whole, "manifest.json": whole}),
        "no manifest": lambda whole: archived({"results.json": unpacked(whole)["results.json"]}),
        "100 MB of blanks": inside("results.json", lambda whole: whole + b" " * 100 * 2**20),
        "a million values": inside("samples.jsonl", lambda whole: whole + b"[" + b"0," * 2_000_000 + b"0]"),
        **{name: inside("results.json", spoil) for name, spoil in RESULTS.items() if name != "18 of 24 too short"},
        "samples cut": inside("samples.jsonl", lambda whole: whole[:-9]),
        "manifest a list": inside("manifest.json", lambda whole: b"[]"),
    }, lines=False),
    "state of a run": Kind("run/times.json", ["ratf check run", "ratf report run --out page.html"], {}, lines=False, as_json=True),
    "kept verdict": Kind("run/check.json", ["ratf report run --format md", "ratf report run --out page.html"], {}, lines=False, as_json=True),
    "recording": Kind("replay/recording/recording.json", ["ratf run replay/suite.yaml --replay replay/recording --out replayed"], {
        **{k: v for k, v in ANY_JSON.items() if k != "another key"},
        "unfinished": value("finished", to=False),
        "another format": value("format", to=99),
    }, lines=False, as_json=True, random=False),
    "choices": Kind("choices.csv", ["ratf packet score choices.csv --keys keys"], {
        "empty": lambda whole: b"",
        "another column": said("choice", "choise"),
        "1 MB in a cell": said(",A,", "," + "A" * 2**20 + ","),
        "NUL": said(",A,", ",\0,"),
        "unknown packet": said("x", "../x"),
    }),
}  # fmt: skip


def world(folder: Path) -> None:
    """Valid files of every kind. What must be refused of `check` is whatever gives PASS: these runs do not."""
    for person in ("marrack", "pell"):
        shutil.copytree(REPOSITORY / "benchmarks" / person, folder / "people" / person)
    (folder / "judges").mkdir()
    shutil.copy(DATA / "replay" / "judges" / "aim.yaml", folder / "judges")
    shutil.copytree(DATA / "replay", folder / "replay")
    for name, text in (("suite.yaml", SUITE), ("policy.yaml", POLICY), ("recipe.yaml", RECIPE), ("talk.txt", TALK)):
        (folder / name).write_text(text, "utf-8")
    cues = "\n".join(
        f"00:00:{2 * n:02}.000 --> 00:00:{2 * n + 1:02}.000\n<v {who}>{said}\n"
        for n, (who, said) in enumerate([("Asker", "What does a weir do?"), ("Linden", "It holds the river back.")] * 9)
    )
    (folder / "talk.vtt").write_text(f"WEBVTT\n\n{cues}", "utf-8")
    shutil.copy(DATA / "transcripts" / "chat.json", folder)
    (folder / "eels.md").write_text("---\ntitle: Eels\ndate: 2020-01-02\n---\n\nEels know the way home.\n", "utf-8")
    (folder / "choices.csv").write_text("packet,item,question,A,B,choice,reader\nx,001,q,a,b,A,r\n", "utf-8")
    kept = folder / "cache" / "pages" / "127.0.0.1-9"
    kept.mkdir(parents=True)
    (kept / "eels.txt").write_text("Eels know the way home.", "utf-8")
    run = planted({"raft": 0.5, "baseline": 0.5}, metrics=("style_identity", "rouge_l"))
    save(run, folder / "run" / "results.json")
    (folder / "run" / "times.json").write_text('{"digest": "d", "made": {"answer": 1.5}}\n')
    (folder / "run" / "check.json").write_text('{"suite": "planted", "results": "x"}\n')
    save_baseline(run, folder / "baseline.json")
    samples = [
        Sample(arm=arm, question=q.id, epoch=1, answer=a.text, given=None, error=None, scores={})
        for q in run.questions
        for arm, a in q.answers.items()
    ]
    write_bundle(folder / "run", run, samples, folder / "run.zip")
    os.chdir(folder)
    code, _, out, told = command("ratf questions suite.yaml --data people".replace("suite.yaml", _asking(folder)))
    assert code == 0, told
    rows = [{"id": json.loads(line)["id"], "answer": "It depends on the river."} for line in out.splitlines()]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def _asking(folder: Path) -> str:
    (folder / "ask.yaml").write_text(SUITE.replace(", {name: mine, answers: answers.jsonl}", ""), "utf-8")
    return "ask.yaml"


def command(line: str) -> tuple[int, float, str, str]:
    """The exit code of a command (minus the signal that ended it), its seconds, and what it said, in a process of its own."""
    program, *arguments = line.split()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            signal.alarm(3 * LONGEST)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = 70
            try:
                (ratf if program == "ratf" else raft).cli.app(arguments)
            except SystemExit as ended:
                code = int(ended.code or 0)
            except BaseException:
                import traceback

                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status, usage = os.wait4(child, 0)
        seconds = usage.ru_utime + usage.ru_stime  # what waits is ended by the alarm
        for file in (out, err):
            file.seek(0)
        said = [file.read().decode("utf-8", "replace") for file in (out, err)]
    return os.waitstatus_to_exitcode(status), seconds, said[0], said[1]


def wrong(kind: Kind, line: str, must: bool) -> str:
    """Carry a command out on the folder as it is now; what was wrong with that, or an empty text."""
    code, seconds, out, err = command(line)
    if "Traceback" in out + err or code < 0 or code == 70:
        return f"traceback or signal ({code}): {err.strip().splitlines()[-1][:200] if err.strip() else ''}"
    if seconds > LONGEST:
        return f"took {seconds:.0f} seconds"
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out + err.replace("\r\n", "\n")):
        return "control characters on the terminal"
    if must and code == 0:
        return f"accepted: {out.strip().splitlines()[-1][:200] if out.strip() else ''}"
    name = Path(kind.file).name
    if must and "error: " in err:
        if name not in err and Path(kind.file).parent.name not in err:
            return f"the file is not named: {err[:200]}"
        if kind.lines and not re.search(rf"{re.escape(name)}:\d+", err) and not NO_LINE.search(err):
            return f"the line is not named: {err[:200]}"
    return ""


def at_random(kind: Kind, whole: bytes, number: int, count: int) -> list[bytes]:
    """So many spoilt contents, the same for the same seed."""
    found: list[bytes] = []
    strategy: st.SearchStrategy[bytes] = mutated(whole)
    if kind.as_json:
        strategy = strategy | rebuilt(whole) | rebuilt(whole)
    if kind.file.endswith(".zip"):
        parts = unpacked(whole)
        strategy = st.sampled_from(sorted(parts)).flatmap(
            lambda name: mutated(parts[name]).map(lambda content: archived({**parts, name: content}))
        )

    @seed(number)
    @settings(
        max_examples=count + 1, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def draw(content: bytes) -> None:
        found.append(content)

    draw()
    return found[1:]  # the first is the simplest, hence nearly what it was


def main(number: int = 0, each: int = EACH, only: str = "") -> int:
    """Try everything, and print what was tried and what failed."""
    import ratf.gate.gate
    import ratf.reporting.files
    import ratf.review.verify
    import ratf.runner.plan
    import ratf.scores.scorers
    import ratf.suite.study  # noqa: F401 - read once, so that each command need not

    failed: list[str] = []
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as place:
        os.environ["RATF_CACHE"] = str(Path(place) / "cache")
        world(Path(place))
        for name, kind in KINDS.items():
            if only not in name:
                continue
            path, count = Path(place) / kind.file, counts.setdefault(name, Counter())
            whole = path.read_bytes()
            cases = [(what, spoil(whole), True) for what, spoil in kind.spoilt.items()]
            cases += [
                (f"random {n}", content, False)
                for n, content in enumerate(at_random(kind, whole, number, each * kind.random))
            ]
            for what, content, must in cases:
                count["must be refused" if must else "random"] += 1
                for line in kind.commands:
                    path.write_bytes(content)
                    count["commands"] += 1
                    hard = must and ONLY.get(what, "") in line
                    if problem := wrong(kind, line, hard):
                        count["failed"] += 1
                        failed.append(f"{name}, {what}: {line}: {problem}")
                    for left in ("people/new", "made", "site", "replayed"):
                        shutil.rmtree(Path(place) / left, ignore_errors=True)
            path.write_bytes(whole)
            print(f"{name:<16}", ", ".join(f"{n} {what}" for what, n in count.items()), flush=True)
    print(sum(c["must be refused"] + c["random"] for c in counts.values()), "spoilt files;", len(failed), "failed")
    print("\n".join(failed))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3]), *sys.argv[3:]))
