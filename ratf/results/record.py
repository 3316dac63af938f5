"""The base of every record in a results file."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """The base of every part of the results.

    A file with other keys, from another version, is refused, not half read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
