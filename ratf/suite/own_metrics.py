"""Metrics of the user's own: functions in a Python file or an installed package, and how a suite names and reads them."""

import hashlib
import inspect
import io
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar, get_args

from pydantic import Field, ValidationError

from raft.errors import DataError, RaftError
from raft.masking import masked
from raft.text import one_line
from ratf.suite.metrics import OWN, Axis, Metric
from ratf.suite.metrics import metric as facts_of_name
from ratf.suite.parts import SuitePart

GROUP = "ratf.metrics"
"""The entry point group in which an installed package names its metrics."""

READS = ("answer", "real", "question", "earlier", "embed")
"""What a metric may read, by the names of its parameters: the answer, the person's real answer to the same question, the
question, the person's earlier answers (a tuple of texts), and the suite's embedder (texts to an array of unit vectors)."""

SAMPLE = "sample"
"""What a metric reads that is a scorer of Inspect's: the sample."""

MOST = 1e30
"""The greatest number that results can hold."""

MOST_BYTES = 4 * 2**20
"""Of the Python files of one metric; more is refused."""

Better = Literal["higher", "lower"]
Function = TypeVar("Function", bound=Callable[..., Any])
_DECLARED = "__ratf_metric__"
_FILE = re.compile(r"(?P<file>.+\.py)@(?P<name>[A-Za-z]\w*)")
_INSTALLED = re.compile(r"(?P<package>[A-Za-z_]\w*)/(?P<name>[A-Za-z]\w*)")


@dataclass(frozen=True)
class Declared:
    """What the author of a metric says about it."""

    axis: Axis | None
    better: Better | None
    top: float | None
    words: str


def metric(
    *, axis: Axis | None = None, better: Better | None = "higher", top: float | None = None, words: str = ""
) -> Callable[[Function], Function]:
    """Declare a function, or a scorer of Inspect's, as a metric that a suite can name as `FILE.py@function`.

    The function's parameters say what it reads: `answer`, and any of `real`, `question`, `earlier` and `embed` (see
    READS). It returns a number, or None if the answer cannot be scored. `axis` is what the metric claims to tell: topic,
    coverage, agreement, facts or voice. It sits its exam on this axis; without one it sits no exam and decides nothing.
    `better` says which way is better, None neither way. A score above `top` is an error. `words` describe the metric; by
    default they are the first line of the docstring. Raises ValueError for another axis or another `better`.
    """
    if axis is not None and axis not in _AXES:
        raise ValueError(f"axis={axis!r}: write one of {', '.join(_AXES)}, or leave it out")
    if not isinstance(words, str):
        raise ValueError(f"words={words!r}: write a text")
    if top is not None and not (isinstance(top, Real) and abs(top) <= MOST):
        raise ValueError(f"top={top!r}: write a number, or leave it out")
    if better not in ("higher", "lower", None):
        raise ValueError(f"better={better!r}: write 'higher', 'lower' or None")
    if axis is not None and better is None:
        raise ValueError(
            f"axis={axis!r} needs better='higher' or better='lower', because the exam puts answers in order"
        )

    def declare(function: Function) -> Function:
        setattr(function, _DECLARED, Declared(axis, better, top, words or _first_line(function)))
        return function

    return declare


_AXES = tuple(a for part in get_args(Axis) for a in (get_args(part) or (part,)))


class OwnMetric(SuitePart):
    """A metric of the user's own, as it was when the suite was read. All of it is filled in from the code."""

    name: str = Field(pattern=rf"^{OWN}[a-z]\w*$", max_length=60)
    """What results, pages and policies call it: `own_warmth` for the function `warmth`."""
    code: str = Field(min_length=1, max_length=300)
    """`FILE.py@function` from the suite's folder, or `package/name` of an entry point."""
    axis: Axis | None = None
    better: Better | None = None
    top: float | None = None
    words: str = Field("", max_length=300)
    reads: list[str] = Field([])
    """Some of READS, or SAMPLE for a scorer of Inspect's."""
    sha256: str = ""
    """Of the file, or of all Python files of the package: other code makes another suite."""

    @property
    def facts(self) -> Metric:
        """What its scores mean."""
        return Metric(
            "own", self.words, self.better, self.top, self.axis, reads_real=self.reads_real, reads="code", exact=False
        )

    @property
    def reads_real(self) -> bool:
        """Whether it can compare with the real answer; then the real answer itself proves nothing in its exam."""
        return bool({"real", SAMPLE} & set(self.reads))


def declared_in(settings: Mapping[str, Any]) -> dict[str, OwnMetric]:
    """The metrics of the user's own in a suite's settings, as results keep them, by name.

    Raises DataError where they are not as a suite writes them.
    """
    try:
        return {own.name: own for own in map(OwnMetric.model_validate, settings.get("own_metrics") or ())}
    except (ValidationError, TypeError):
        raise DataError(["suite.own_metrics: not metrics as a suite writes them"]) from None


def facts_in(settings: Mapping[str, Any], name: str) -> Metric:
    """What a metric of a run means: that of the table or of the suite's own. Raises KeyError for an unknown name."""
    own = declared_in(settings)
    return own[name].facts if name in own else facts_of_name(name)


def is_spec(text: str) -> bool:
    """Whether a text among a suite's metrics names code of the user's own."""
    return text.endswith(".py") or bool(_FILE.fullmatch(text) or _INSTALLED.fullmatch(text))


def name_of(spec: str) -> str:
    """The name of the metric that a spec stands for. Raises DataError where the function is missing."""
    found = _FILE.fullmatch(spec) or _INSTALLED.fullmatch(spec)
    if found is None:
        raise DataError([f"{spec}: say which function of the file it is, as {spec}@warmth"])
    return OWN + found["name"].lower()


def read_metric(spec: str, folder: Path) -> OwnMetric:
    """The metric that `FILE.py@function`, from `folder`, or `package/name` stands for. Its code is run.

    Raises DataError where there is none, where its code does not run, and where it is not declared.
    """
    name = name_of(spec)
    function, sha256 = _found(spec, folder)
    declared = getattr(function, _DECLARED, None)
    if not isinstance(declared, Declared):
        raise DataError(
            [f"{spec}: it is not declared as a metric; write @ratf.metric(axis='voice') above the function"]
        )
    try:
        return OwnMetric(
            name=name,
            code=spec,
            axis=declared.axis,
            better=declared.better,
            top=declared.top,
            words=one_line(declared.words)[:300] or spec,
            reads=_reads(spec, function),
            sha256=sha256,
        )
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise DataError([f"{spec}: {said}" for said in wrong]) from None


def unread(spec: str) -> OwnMetric:
    """A metric of which only the name is known, because its code is not to be run."""
    return OwnMetric(name=name_of(spec), code=spec, words=spec)


def function_of(own: OwnMetric, folder: Path) -> Callable[..., Any]:
    """The function of a metric. Raises DataError where its code is not what the suite was read with."""
    function, sha256 = _found(own.code, folder)
    if sha256 != own.sha256:
        raise DataError([f"{own.code}: not the code of {own.name} that this suite was read with; start again"])
    return function


def is_scorer(function: object) -> bool:
    """Whether something is a scorer of Inspect's, as `@scorer` makes it."""
    return getattr(getattr(function, "__registry_info__", None), "type", "") == "scorer"


def _found(spec: str, folder: Path) -> tuple[Callable[..., Any], str]:
    if found := _FILE.fullmatch(spec):
        path = folder / found["file"]
        try:
            if not path.is_file():
                raise DataError([f"{path}: no such file; it is named from the suite's folder"])
            source = path.read_bytes()
        except OSError as error:
            raise DataError([f"{path}: {error.strerror}"]) from None
        if len(source) > MOST_BYTES:
            raise DataError([f"{path}: more than {MOST_BYTES:,} bytes"])
        sha256 = hashlib.sha256(source).hexdigest()
        module = _run(path.resolve(), source, sha256)
        return _callable(spec, module, found["name"], str(path)), sha256
    wanted = _INSTALLED.fullmatch(spec)
    assert wanted is not None
    point = _entry_point(wanted["package"], wanted["name"], spec)
    with _told(spec):
        thing = point.load()
    if not callable(thing):
        raise DataError([f"{spec}: {point.value} is no function"])
    return thing, _digest_of_package(point)


@lru_cache(maxsize=64)
def _run(path: Path, source: bytes, sha256: str) -> ModuleType:
    """The module of a file. What is run is what the digest was taken of."""
    module = ModuleType(f"ratf_own_{path.stem}_{sha256[:12]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look there
    with _told(str(path)):
        exec(compile(source, str(path), "exec"), module.__dict__)
    return module


class _told:
    """Whatever the user's code raises becomes one DataError; what it prints is dropped, because stdout has the verdict."""

    def __init__(self, what: str) -> None:
        self._what, self._out = what, redirect_stdout(io.StringIO())

    def __enter__(self) -> None:
        self._out.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._out.__exit__(kind, error, trace)
        if isinstance(error, RaftError) or error is None or not isinstance(error, Exception | SystemExit):
            return
        line = next((f":{at[1]}" for at in reversed(_lines(trace)) if at[0] == self._what), "")
        said = one_line(masked(words_of(error)))[:300]
        lacks = " Install the package that it imports." if isinstance(error, ImportError) else ""
        raise DataError(
            [f"{self._what}{line}: its code does not run ({type(error).__name__}: {said}).{lacks}"]
        ) from None


def words_of(error: BaseException) -> str:
    """What an error of the user's code says; empty where it cannot say it."""
    try:
        return str(error)
    except Exception:
        return ""


def _lines(trace: Any) -> list[tuple[str, int]]:
    import traceback

    return [(frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(trace)]


def _callable(spec: str, module: ModuleType, name: str, where: str) -> Callable[..., Any]:
    with _told(where):  # a module may have a function of its own for names that it lacks
        thing = getattr(module, name, None)
    if not callable(thing):
        there = [n for n, v in vars(module).items() if isinstance(getattr(v, _DECLARED, None), Declared)]
        raise DataError([f"{spec}: {where} has no function {name}; declared in it: {', '.join(there) or 'none'}"])
    return thing  # type: ignore[no-any-return]


def _entry_point(package: str, name: str, spec: str) -> EntryPoint:
    points = list(entry_points(group=GROUP))
    found = [p for p in points if p.name == name and p.module.partition(".")[0] == package]
    if not found:
        there = ", ".join(sorted(f"{p.module.partition('.')[0]}/{p.name}" for p in points)) or "none"
        raise DataError([
            f"{spec}: no installed package {package!r} has an entry point {name!r} in the group {GROUP!r}; installed "
            f"metrics: {there}. A file is named as FILE.py@function"
        ])  # fmt: skip
    return found[0]


def _digest_of_package(point: EntryPoint) -> str:
    """Of all Python files of the package that an entry point is in, with their names."""
    top = sys.modules[point.module.partition(".")[0]]
    home = Path(str(top.__file__))
    files = sorted(home.parent.rglob("*.py")) if home.name == "__init__.py" else [home]
    digest, size = hashlib.sha256(), 0
    for file in files:
        content = file.read_bytes()
        size += len(content)
        if size > MOST_BYTES:
            raise DataError([f"{point.value}: its package has more than {MOST_BYTES:,} bytes of Python"])
        digest.update(f"{file.relative_to(home.parent).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _reads(spec: str, function: Callable[..., Any]) -> list[str]:
    """The names of a function's parameters, which say what it reads. Raises DataError for others."""
    if is_scorer(function):
        return [SAMPLE]
    told = f"a metric's parameters are `answer` and any of {', '.join(READS[1:])}"
    if inspect.iscoroutinefunction(function):
        raise DataError([f"{spec}: it is an async function; write a plain one, or a scorer of Inspect's with @scorer"])
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise DataError([f"{spec}: its parameters are not known; {told}"]) from None
    found = [p for p in parameters if p.default is p.empty or p.name in READS]
    strange = [str(p) for p in found if p.name not in READS or p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if strange:
        raise DataError([f"{spec}: it has the parameter {', '.join(strange)}; {told}"])
    names = [p.name for p in found]
    if "answer" not in names:
        raise DataError([f"{spec}: it has no parameter `answer`; {told}"])
    return names


def _first_line(function: object) -> str:
    return next(iter((inspect.getdoc(function) or "").splitlines()), "")
