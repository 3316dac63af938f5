"""The base of every record in a results file."""

from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema


def _fail_fast(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") in ("list", "dict", "set", "tuple"):
            part["fail_fast"] = True
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            _fail_fast(inner)


class FirstProblem(BaseModel):
    """A model whose lists and mappings are refused at the first item that is wrong.

    Pydantic would collect a problem for each field of each item, and a file of a few kilobytes may unpack to a million
    of them: gigabytes of problems, of which one is told.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema that pydantic makes, with `fail_fast` wherever there can be many items."""
        schema = handler(source)
        _fail_fast(schema)
        return schema


class Record(FirstProblem):
    """The base of every part of the results.

    A file with other keys, from another version, is refused, not half read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
