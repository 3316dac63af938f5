"""Solvers and agents of the user's own, loaded as Inspect loads them for `inspect eval --solver`.

This is the only module that knows where Inspect keeps that: its public interface takes the name of one solver for a
whole evaluation, and here each arm has another.
"""

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from inspect_ai.solver import Solver, SolverSpec

from raft.errors import DataError, RaftError
from raft.masking import masked
from ratf.suite.own import solver_file


def load_solver(spec: str, folder: Path, args: dict[str, Any]) -> Solver:
    """The solver, or the agent as one, that `FILE.py@name` or a registered name stands for. A file's code is run.

    A file is named from `folder`. Raises DataError where there is none of this name, where its file does not run, and
    where it takes other arguments.
    """
    from inspect_ai._eval.loader import solver_from_spec

    file, name = solver_file(spec), spec.rpartition("@")[2]
    if file and not (folder / file).is_file():
        raise DataError([f"solver: {folder / file} is no file"])
    full = f"{(folder / file).resolve()}{f'@{name}' if '@' in spec else ''}" if file else spec
    try:
        with redirect_stdout(io.StringIO()):  # only the verdict belongs on stdout
            return solver_from_spec(SolverSpec(full, args, args))
    except RaftError:
        raise
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        told = " ".join(masked(str(error)).split())[:300]
        raise DataError([f"solver: {spec} can't be made ({type(error).__name__}: {told}); {_hint(file)}"]) from None


def _hint(file: str) -> str:
    if file:
        return f"a function of {file} with @solver or @agent is named as {file}@name, its arguments as args: {{…}}"
    return "write FILE.py@name with the file from the suite's folder, or a registered name as package/name"
