"""The base of all records: frozen, closed Pydantic models. No torch here or in any record."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen value that is at once a Python result and its JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")
