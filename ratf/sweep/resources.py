"""What each phase of a sweep needs of a machine, for those who share the work out over several."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from pydantic import Field

from raft.errors import RaftError
from ratf.suite.parts import SuitePart

Phase = Literal["prepare", "tune", "answer", "score"]
PHASES: tuple[Phase, ...] = get_args(Phase)
"""The phases in the order of a run. `score` includes collecting the results and writing the page."""


class Needs(SuitePart):
    """The processors and graphics processors that a unit of work needs; a share of one is allowed."""

    cpu: float = Field(1.0, ge=0, lt=10_000)
    """The number of processor cores."""
    gpu: float = Field(0.0, ge=0, lt=10_000)
    """The number of graphics processors, or a part of one."""


Resources = dict[Phase, Needs]
"""What phases need; a phase that is not there needs what the command line says for each."""


def needs(text: str) -> Needs:
    """What each unit needs, from `cpu=2,gpu=1`. Raises RaftError where it is not of that form."""
    found = {}
    for part in filter(None, text.split(",")):
        name, _, amount = (p.strip() for p in part.partition("="))
        try:
            found[name] = float(amount)
            Needs.model_validate(found)
        except ValueError:
            raise RaftError(f"--each {text}: write cpu=N, gpu=N or both, as cpu=2,gpu=1") from None
    return Needs.model_validate(found)


def of_all(wanted: Iterable[Needs]) -> Needs:
    """What a machine must have that does all of it, one after another."""
    several = list(wanted)
    return Needs(cpu=max(need.cpu for need in several), gpu=max(need.gpu for need in several))


def of_phase(phase: Phase, resources: Mapping[Phase, Needs], each: Needs) -> Needs:
    """What a phase needs: what the suite says of it, and else what each unit needs."""
    own = resources.get(phase)
    return each if own is None else each.model_copy(update={k: getattr(own, k) for k in own.model_fields_set})
