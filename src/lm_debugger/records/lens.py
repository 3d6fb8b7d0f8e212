"""Lenses as data: what is known of one, how one is to be fitted, how several compare. No torch."""

import re
from typing import Annotated, Literal

from pydantic import Field

from lm_debugger.errors import OptionError
from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.options import Options

LOGIT = "logit"
LensKind = Literal["logit", "jacobian", "tuned"]
Fittable = Literal["jacobian", "tuned"]
Estimator = Literal["exact", "sampled"]

_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{limits.LENS_NAME - 1}}}", re.ASCII)

# As a request or an option may say it. A kept lens, never a file's path.
LensName = Annotated[str, Field(min_length=1, max_length=limits.LENS_NAME, pattern=rf"^{_NAME.pattern}$")]


def check_lens_name(name: str) -> str:
    """The name, if a lens can be kept under it.

    Raises:
        OptionError: if not.
    """
    if name == LOGIT:
        raise OptionError("The name logit is the logit lens's own.", "Choose another.")
    if not _NAME.fullmatch(name):
        raise OptionError(
            f"{name[: limits.LENS_NAME]!r} cannot name a lens.",
            f"Use lower-case letters, digits, - and _, at most {limits.LENS_NAME} in all.",
        )
    return name


class Fit(Options):
    """How a lens is to be fitted.

    Args:
        kind: `tuned` (a ridge regression of the last stream on each layer's) or `jacobian` (the mean derivative of the
            last stream by each layer's).
        prompts: how many texts; None for as many as are usual for the kind.
        tokens: the length of each; None for what is usual.
        estimator: of the Jacobian lens. `exact` takes the derivative of every channel in every text; `sampled` a part
            of the channels in each, so that all are measured equally often. `tuned` has none.
        seed: of the text that the model writes, and of the sampling.
    """

    kind: Fittable
    prompts: Annotated[int, Field(ge=1, le=100_000)] | None = None
    tokens: Annotated[int, Field(ge=2, le=100_000)] | None = None
    estimator: Estimator = "sampled"
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0


class Compared(Options):
    """How lenses are to be compared.

    Args:
        tokens: positions to read.
        pushes: of each layer's stream.
    """

    tokens: Annotated[int, Field(ge=1, le=100_000)]
    pushes: Annotated[int, Field(ge=0, le=1000)]


class LensSummary(Record):
    """A lens that is kept, or lies in a file.

    Args:
        name: under which it is asked for.
        fingerprint: of the model that it was fitted on, "" where that is not known.
        model: that model's name, as it was called when the lens was fitted; "" where that is not known.
        layers: the layers that it has a map for. Others, and always the last, are read as the logit lens does.
        hidden: width of the residual stream.
        estimator: `exact`, `sampled` or `ridge`; "" where that is not known.
        prompts: texts that it was fitted on.
        tokens: length of each, 0 where that is not known.
        text: `self-generated`, the name of a text file, or "" where that is not known.
        seed: of the text and the sampling.
        agreement: for each of `layers` the cosine of the two maps that each half of the texts gives, -1 to 1; empty
            where that was not measured.
        seconds: that the fit took; 0 where that is not known.
        key: identifies the numbers.
    """

    name: str
    kind: LensKind
    fingerprint: str = ""
    model: str = ""
    layers: tuple[int, ...]
    hidden: int
    estimator: str = ""
    prompts: int
    tokens: int = 0
    text: str = ""
    seed: int = 0
    agreement: tuple[float, ...] = ()
    seconds: float = 0.0
    key: str = ""


class FitSummary(Record):
    """What `lens fit` answers.

    Args:
        cached: whether the lens was already there.
        warnings: what the user should know.
    """

    lens: LensSummary
    cached: bool
    warnings: tuple[str, ...] = ()


class LensListing(Record):
    """The lenses that are kept, the last used first."""

    lenses: tuple[LensSummary, ...]


class LensScore(Record):
    """How well a lens reads one layer.

    Args:
        kl: Kullback-Leibler divergence KL(model's output ‖ lens) in nats, mean over the positions.
        rank: of the token that the model says, under the lens, from 1; geometric mean over the positions.
        causal: correlation over the vocabulary of the change of the logits that the lens predicts after a small push
            of the stream, and the change that is measured; mean over the pushes. None where it was not measured.
    """

    kl: float
    rank: float
    causal: float | None = None


class LayerScores(Record):
    """The lenses at one layer. A lens that is not fitted has none."""

    layer: int
    logit: LensScore
    tuned: LensScore | None = None
    jacobian: LensScore | None = None


class LensComparison(Record):
    """How well lenses read each layer of a model, on text that they were not fitted on.

    Args:
        model: its name.
        layers: all but the last, whose read-out is the model's own under every lens.
        tokens: positions that kl and rank are means over.
        pushes: pushes at each layer that the causal score is the mean over.
        text: `self-generated`, or the name of a text file.
        warnings: which lenses are not fitted, and what else the user should know.
    """

    model: str
    layers: tuple[LayerScores, ...]
    tokens: int
    pushes: int
    text: str
    warnings: tuple[str, ...] = ()


class LayerCheck(Record):
    """How well a lens predicts pushes at one layer, and the logit lens there."""

    layer: int
    causal: float
    logit: float


class LensCheck(Record):
    """Whether a lens belongs to a model.

    Args:
        belongs: whether it does.
        reason: why, in words.
        layers: what was measured: a few layers, spread over the depth.
    """

    lens: LensSummary
    model: str
    belongs: bool
    reason: str
    layers: tuple[LayerCheck, ...] = ()
