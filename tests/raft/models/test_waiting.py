import asyncio
from contextvars import ContextVar

import pytest

from raft.models.waiting import result_of

who: ContextVar[str] = ContextVar("who", default="nobody")


async def asked(fail: bool = False) -> str:
    await asyncio.sleep(0)
    if fail:
        raise ValueError("refused")
    return who.get()


def test_a_coroutine_gives_its_result_or_raises() -> None:
    who.set("a script")
    assert result_of(asked()) == "a script"
    with pytest.raises(ValueError, match="refused"):
        result_of(asked(fail=True))


def test_also_where_an_event_loop_is_running() -> None:
    async def cell() -> list[str]:
        who.set("a notebook")
        with pytest.raises(ValueError, match="refused"):
            result_of(asked(fail=True))
        return [result_of(asked()), result_of(asked())]

    assert asyncio.run(cell()) == ["a notebook", "a notebook"]
