"""The base of every record in a results file."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A part of the results. Files written by another version with other keys are refused, not half read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
