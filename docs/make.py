"""The documents as a site: `make docs` writes the reference from the code, and builds build/site.

The pages of docs/ are taken as they are. The reference and the glossary are made anew from the code each time, so that
they cannot be out of date. Links, anchors and the navigation are checked: a wrong one ends the build.
"""

import html
import inspect
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import raft
import ratf
from raft.models.weights import PINNED
from ratf.commands.schema import SCHEMAS
from ratf.gate.policy import FORMS
from ratf.pages.glossary import TERMS
from ratf.suite.arms import ARMS, CONTROLS
from ratf.suite.metrics import GLOSSARY, METRICS, title
from ratf.suite.rubric import FIELDS, shipped

DOCS = Path(__file__).parent
ROOT = DOCS.parent
NOT_SHOWN = ("make.py", "pictures.py")
GENERATED = "<!-- Made by docs/make.py from the code; not to be changed by hand. -->\n\n"


def assemble(to: Path, docs: Path = DOCS, made: Mapping[str, str] | None = None) -> None:
    """Write everything that the site is built from into `to`: the pages of `docs`, and `made` (by default `generated()`)."""
    shutil.copytree(docs, to, ignore=shutil.ignore_patterns(*NOT_SHOWN, "__pycache__", ".ipynb_checkpoints"))
    for name, text in (generated() if made is None else made).items():
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GENERATED + text if name.endswith(".md") else text, "utf-8")


def generated() -> dict[str, str]:
    """The pages and files that are made from the code, by their path in the site."""
    return {
        "reference/ratf.md": commands("ratf"),
        "reference/raft.md": commands("raft"),
        "reference/suite.md": suite_page(),
        "reference/policy.md": policy_page(),
        "reference/judge.md": judge_page(),
        "reference/tables.md": tables_page(),
        "reference/python.md": python_page(),
        "reference/results.md": results_page(),
        "glossary.md": glossary_page(),
        **{f"reference/{kind}.schema.json": _schema_text(kind) for kind in SCHEMAS},
    }


def build(folder: Path, docs: Path = DOCS, made: Mapping[str, str] | None = None) -> int:
    """Assemble the site's sources in `folder`/docs, and build `folder`/site. Returns the generator's exit code.

    `docs` and `made` are as in `assemble`. A warning of the generator is an error.
    """
    sources = folder / "docs"
    shutil.rmtree(sources, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    assemble(sources, docs, made)
    (sources / "zensical.toml").rename(folder / "zensical.toml")
    done = subprocess.run([sys.executable, "-m", "zensical", "build", "--clean", "--strict"], cwd=folder, check=False)
    return done.returncode


def commands(name: str) -> str:
    """Every command of a program with its arguments and options, as Typer writes them."""
    said = subprocess.run(
        [sys.executable, "-m", "typer", f"{name}.cli", "utils", "docs", "--name", name],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout
    said = re.sub(r"(?m)^Example: (.+)$", lambda example: f"```sh\n{html.unescape(example[1])}\n```", said)
    return re.sub(r"(?m)^(#+) `(.+)`$", r"\1 \2", said)


def suite_page() -> str:
    """Every key of a suite's file."""
    schema = _by_key(_schema("suite"))
    parts = schema["$defs"]
    lines = [
        "# Keys of a suite",
        "",
        "A suite is one YAML file. `name` is always needed. `person` and `impostors` are needed too, unless `people` is a list. "
        "Every other key has a default. An unknown key is refused, with the line and the valid keys.",
        "",
        *_editor("suite"),
        *_table(schema["properties"], parts, schema),
    ]
    for name, part in parts.items():
        if part.get("properties"):
            lines += [
                f"## {name}",
                "",
                _plain(part.get("description", "")),
                "",
                *_table(part["properties"], parts, part),
            ]
    return _joined(lines)


def policy_page() -> str:
    """Every key of a policy's file, and each form of a rule."""
    lines = [
        "# Keys of a policy",
        "",
        "A policy is a YAML file for `ratf check --policy`. [RATF in CI](../ci.md#rules) explains the rules.",
        "",
        *_editor("policy"),
        *_table(_schema("policy")["properties"], {}, _schema("policy")),
        "## Forms of rules",
        "",
        "| kind | example |",
        "|---|---|",
        *(f"| {kind} | `{example}` |" for kind, (_, example) in FORMS.items()),
        "",
    ]
    return _joined(lines)


def judge_page() -> str:
    """Every key of a judge's file, and what each form of judge is given."""
    lines = [
        "# Keys of a judge",
        "",
        "A judge is a YAML file in `judges/` beside the suite. Its metric is called `judge_` with the file's name.",
        "",
        *_editor("judge"),
        *_table(_schema("judge")["properties"], {}, _schema("judge")),
        "## Forms of judges",
        "",
        "| form | texts that the prompt must have | texts that it may have |",
        "|---|---|---|",
        *(f"| `{form}` | {_names(needed)} | {_names(more)} |" for form, (needed, more) in FIELDS.items()),
        "",
    ]
    return _joined(lines)


def tables_page() -> str:
    """The tables of arms, controls, metrics, judges and embedded models."""
    lines = [
        "# Arms, controls, metrics, models",
        "",
        "## Arms",
        "",
        "| arm | training | memories | is |",
        "|---|---|---|---|",
        *(f"| `{name}` | {arm.training} | {arm.memories} | {arm.words} |" for name, arm in ARMS.items()),
        "",
        "`ft` is tuning on questions and answers. `ft+mem` is tuning with memories between them.",
        "",
        "## Controls",
        "",
        "| control | answer | says nothing |",
        "|---|---|---|",
        *(f"| `{name}` | {c.words} | {'yes' if c.says_nothing else ''} |" for name, c in CONTROLS.items()),
        "",
        "## Metrics",
        "",
        "| metric | on the page | axes | better | reads |",
        "|---|---|---|---|---|",
        *(
            f"| `{name}` | {title(name)} | {', '.join(a for a in (m.axis, *m.also) if a) or 'none'} "
            f"| {m.better or 'neither'} | {m.reads} |"
            for name, m in METRICS.items()
        ),
        "",
        "The [glossary](../glossary.md#metrics) says what each metric measures.",
        "",
        "## Judges",
        "",
        "| judge | asks | axis | form | metrics |",
        "|---|---|---|---|---|",
        *(
            f"| `judge_{name}` | {r.words} | {r.meant} | {r.form} | {_names(r.metrics(), '{}')} |"
            for name, r in shipped().items()
        ),
        "",
        "## Embedded models",
        "",
        "| model | kind | licence | from |",
        "|---|---|---|---|",
        *(f"| `local/{name}` | {m.kind} | {m.licence} | {m.source} |" for name, m in PINNED.items()),
        "",
    ]
    return _joined(lines)


def python_page() -> str:
    """The public names of both packages, with signatures and docstrings."""
    lines = [
        "# Python names",
        "",
        "These are the names of `raft` and `ratf`. [From Python](../python.md) shows how they are used together.",
        "",
    ]
    for package in (ratf, raft):
        lines += [f"## {package.__name__}", ""]
        for name in package.__all__:
            lines += _object(package, name)
    return _joined(lines)


def results_page() -> str:
    """Every field of results.json."""
    schema = _schema("results")
    parts = schema["$defs"]
    lines = [
        "# Fields of results.json",
        "",
        "A finished run keeps its results in `results.json`. `ratf schema results` prints this page as a JSON Schema, "
        "[also here](results.schema.json).",
        "",
        *_table(schema["properties"], parts),
    ]
    for name, part in parts.items():
        lines += [f"## {name}", "", _plain(part.get("description", "")), "", *_table(part["properties"], parts, part)]
    return _joined(lines)


def glossary_page() -> str:
    """The words of the pages and documents, and the metrics, from the page's own glossary."""
    lines = [
        "# Glossary",
        "",
        "These are the words of a run's page, of a leaderboard and of these documents.",
        "",
        "| word | means |",
        "|---|---|",
        *(f"| {word} | {means} |" for word, means in TERMS.items()),
        "",
        "## Metrics",
        "",
        *(f"**{title(name)}** (`{name}`): {means}\n" for name, means in GLOSSARY.items()),
        "## Controls and arms",
        "",
        "[The tables](reference/tables.md) have every arm, control, judge and model.",
        "",
    ]
    return _joined(lines)


def _by_key(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose parts are called by the keys that they stand under, which are what a reader of a file knows."""
    names = {part: key for key, value in schema["properties"].items() if (part := _part(value)) in schema["$defs"]}
    names |= {"About": "About a person", "OwnArm": "An agent of your own"}
    text = json.dumps({**schema, "$defs": {names.get(part, part): s for part, s in schema["$defs"].items()}})
    for part, key in names.items():
        text = text.replace(f'"#/$defs/{part}"', f'"#/$defs/{key}"')
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def _part(key: Mapping[str, Any]) -> str:
    """The name of the part that a key refers to."""
    return str(key.get("$ref", "")).rpartition("/")[2]


def _schema(kind: str) -> dict[str, Any]:
    made: dict[str, Any] = SCHEMAS[kind]()
    return made


def _schema_text(kind: str) -> str:
    from ratf.commands.schema import schema_of

    return schema_of(kind)


def _editor(kind: str) -> list[str]:
    """How an editor learns the keys."""
    return [
        f"For an editor that knows JSON Schema, `ratf schema {kind} --out {kind}.schema.json` writes [the schema]({kind}.schema.json). "
        "In VS Code with the YAML extension, put this line at the top of the file:",
        "",
        "```yaml",
        f"# yaml-language-server: $schema={kind}.schema.json",
        "```",
        "",
    ]


def _table(keys: Mapping[str, Any], parts: Mapping[str, Any], of: Mapping[str, Any] | None = None) -> Iterator[str]:
    """A row for each key: what it means, its type and its default. Two columns can be read on a phone."""
    needed = (of or {}).get("required", ())
    yield "| key | means |"
    yield "|---|---|"
    for name, key in keys.items():
        part = parts.get(_part(key), {})
        words = key.get("description") or part.get("description", "")
        default = "needed" if name in needed else _default(key)
        said = f"{_type(key, parts)}{'; ' if default else ''}{default}"
        yield f"| `{name}` | {_cell(words)}{'<br>' if words else ''}*{said}* |"
    yield ""


def _default(key: Mapping[str, Any]) -> str:
    if "default" not in key or isinstance(key["default"], dict) or key["default"] in ([], "", None):
        return ""
    value = key["default"]
    if isinstance(value, list):
        return "by default " + ", ".join(f"`{item}`" for item in value)
    return f"by default `{json.dumps(value, ensure_ascii=False).strip(chr(34))}`"


def _type(key: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """A JSON Schema's type in words; the parts of the file are links."""
    if "$ref" in key:
        name = _part(key)
        return f"[{name}](#{name.lower().replace(' ', '-')})" if parts.get(name, {}).get("properties") else "anything"
    if "enum" in key:
        return _choice(key["enum"])
    if "const" in key:
        return f"`{key['const']}`"
    if "anyOf" in key:
        forms = [form for form in key["anyOf"] if form != {"type": "null"} and "pattern" not in form]
        if forms:
            return " or ".join(dict.fromkeys(_type(form, parts) for form in forms))
    if key.get("type") == "array":
        return f"list of {_type(key['items'], parts)}" if key.get("items") else "list"
    if key.get("type") == "object":
        inner = key.get("additionalProperties")
        return f"mapping to {_type(inner, parts)}" if isinstance(inner, dict) and inner else "mapping"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    said = words.get(str(key.get("type")), "anything")
    return "date" if key.get("format") == "date" else said + _bounds(key)


def _choice(names: list[Any]) -> str:
    shown = [n for n in names if isinstance(n, str)]
    return "name" if len(shown) > 8 else " or ".join(f"`{name}`" for name in shown)


def _bounds(key: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": "&gt;", "maximum": "≤", "exclusiveMaximum": "&lt;"}
    return ", ".join(f" {sign} {key[name]}" for name, sign in signs.items() if name in key)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """A docstring as one line of Markdown, whose angles are text."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    """Text whose angles are shown as they are; in spans of code they are anyway."""
    return "".join(p if n % 2 else html.escape(p, quote=False) for n, p in enumerate(re.split(r"(`[^`]*`)", text)))


def _names(names: Any, shape: str = "{{{}}}") -> str:
    return ", ".join(f"`{shape.format(name)}`" for name in sorted(names)) or "none"


def _object(package: ModuleType, name: str) -> Iterator[str]:
    """A public name: its signature and docstring; of a class, its public properties and methods as well."""
    thing = getattr(package, name)
    called = f"{package.__name__}.{name}"
    yield f"### {called}"
    yield ""
    if inspect.isclass(thing):
        yield from _doc(thing)
        for key, member in sorted(vars(thing).items()):
            if key.startswith("_") or not (inspect.isfunction(member) or isinstance(member, property)):
                continue
            shown = f"`{key}`" if isinstance(member, property) else f"`{key}{_signature(member, method=True)}`"
            yield f"- {shown}: {_escaped(_first(member))}"
        yield ""
        return
    yield "```python"
    yield f"{called}{_signature(thing)}"
    yield "```"
    yield ""
    yield from _doc(thing)


def _signature(function: Any, method: bool = False) -> str:
    """A signature, with a parameter a line where it is long. Types are as the source has them."""
    signature = inspect.signature(function)
    if method:
        signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    said = _unquoted(str(signature))
    if method or len(said) < 90:
        return said
    parts = [_unquoted(str(p)) for p in signature.parameters.values()]
    stars = next((n for n, p in enumerate(signature.parameters.values()) if p.kind is p.KEYWORD_ONLY), None)
    if stars is not None:
        parts.insert(stars, "*")
    return "(\n" + "".join(f"    {p},\n" for p in parts) + f") -> {said.rpartition(') -> ')[2]}"


def _unquoted(said: str) -> str:
    """A part of a signature, with types by their short names."""
    said = re.sub(r"(: |-> )'([^']*)'", r"\1\2", said).replace("~", "")
    return re.sub(r"\b(?:pathlib|raft|ratf|collections\.abc|typing)(?:\.\w+)*\.(?=[A-Z])", "", said)


def _doc(thing: Any) -> Iterator[str]:
    for paragraph in (inspect.getdoc(thing) or "").split("\n\n"):
        yield _escaped(paragraph)
        yield ""


def _first(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.exit(build(ROOT / "build" / "docs"))
