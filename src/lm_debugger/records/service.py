"""What a server says of itself: whether the model is there, and what went wrong."""

from typing import Literal

from lm_debugger.records.base import Record
from lm_debugger.records.examination import Examination
from lm_debugger.records.model import ModelSummary
from lm_debugger.records.token import Token


class ErrorDetail(Record):
    """Why there is no answer.

    Args:
        code: for programs; stable.
        what: what went wrong, naming the value.
        cure: what can be done, or "".
    """

    code: str
    what: str
    cure: str


class ErrorBody(Record):
    """The one shape of every error."""

    error: ErrorDetail


class QueueState(Record):
    """Work that waits for the model.

    Args:
        waiting: requests that wait.
        limit: how many may wait before others are sent away.
    """

    waiting: int
    limit: int


class Health(Record):
    """The state of the server.

    Args:
        status: `loading`, `ready` or `failed`.
        step: the long work going on, such as `Reading weights`, or "".
        done, total: how far it is (total 0: length unknown).
        version: of LM-Debugger.
        error: why the model could not be loaded, or None.
        warnings: what does not work although the server does, such as the database.
    """

    status: Literal["loading", "ready", "failed"]
    step: str
    done: int
    total: int
    queue: QueueState
    version: str
    error: ErrorDetail | None = None
    warnings: tuple[ErrorDetail, ...] = ()


class ModelReport(Record):
    """The model and the proof of its anatomy.

    Args:
        other: the model of the same shape that it can be bisected with, or None.
    """

    model: ModelSummary
    examination: Examination
    other: ModelSummary | None = None


class Tokenization(Record):
    """A text as the model's tokenizer cuts it."""

    text: str
    tokens: tuple[Token, ...]


class ProgressEvent(Record):
    """How far a long piece of work is (total 0: length unknown)."""

    step: str
    done: int
    total: int
