"""One thing followed along one axis: chosen tokens through the layers, a coefficient along the text."""

from typing import Literal

from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.token import Token


class Stage(Record):
    """A place in the stream: before or after the feed-forward of a layer."""

    layer: int
    side: Literal["before", "after"]


class TokenPath(Record):
    """One token at every stage.

    Args:
        probability, logit: under the lens at each stage.
        rank: among the whole vocabulary, from 1.
    """

    id: int
    text: str
    probability: tuple[float, ...]
    logit: tuple[float, ...]
    rank: tuple[int, ...]


class Trajectory(Record):
    """Chosen tokens through the layers, at one position.

    Args:
        stages: the stages in order; the last is the model's output.
        tokens: the chosen tokens, with the edits in force.
        baseline: the same without the edits, or None when there are none.
        interventions: the edits in force, in their canonical text.
        lens: through which the stages are read.
    """

    position: int
    stages: tuple[Stage, ...]
    tokens: tuple[TokenPath, ...]
    baseline: tuple[TokenPath, ...] | None = None
    interventions: tuple[str, ...] = ()
    lens: str = LOGIT


class CoefficientPath(Record):
    """One value vector's coefficient at each token of a text.

    Args:
        coefficients: raw, with the edits in force; 0 where the router chose other experts.
        baseline: the same without the edits, or None when there are none.
        interventions: the edits in force, in their canonical text.
    """

    value: str
    tokens: tuple[Token, ...]
    coefficients: tuple[float, ...]
    baseline: tuple[float, ...] | None = None
    interventions: tuple[str, ...] = ()
