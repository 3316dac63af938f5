"""RAFT, the method: an agent that answers as one specific person, from their writings and interviews.

Notebooks and scripts use four functions: `open_person` reads a person's folder, `remember` returns the memories that a
question brings up, `ask` has the agent answer a question, and `tune` fine-tunes a model to answer as the person. Each
is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from raft.memory.recall import remember
    from raft.people.person import open_person
    from raft.tuning.conversation import ask
    from raft.tuning.tune import tune
else:
    _HOMES = {
        "ask": "raft.tuning.conversation",
        "open_person": "raft.people.person",
        "remember": "raft.memory.recall",
        "tune": "raft.tuning.tune",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'raft' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


__all__ = ["ask", "open_person", "remember", "tune"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
