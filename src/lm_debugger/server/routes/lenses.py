"""`/api/lenses`: the lenses that layers can be read through: listed, fitted, compared."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.records.lens import Estimator, FitSummary, Fittable, LensComparison, LensListing
from lm_debugger.server.inputs import INTEGER, Input, check_at_most
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["lenses"])


class FitInput(Input):
    """How to fit a lens: on text that the model writes itself."""

    kind: Fittable
    prompts: int | None = Field(None, ge=1, le=INTEGER, description="How many texts.")
    tokens: int | None = Field(None, ge=2, le=INTEGER, description="The length of each.")
    estimator: Estimator = Field("sampled", description="Of the Jacobian lens; `exact` takes many times as long.")
    seed: int = Field(0, ge=0, lt=2**53)
    force: bool = Field(False, description="Fit again although a lens is kept that was fitted so.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


class CompareLensesInput(Input):
    """On how much of the model's own text to compare."""

    tokens: int = Field(256, ge=1, le=INTEGER, description="Positions to read.")
    pushes: int = Field(8, ge=0, le=INTEGER, description="Pushes of each layer's stream; 0 leaves causes out.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.get("/lenses")
async def lenses(here: Here) -> LensListing:
    """The lenses that are kept for this model, beside the logit lens, which needs nothing."""
    return await run_in_threadpool(here.debugger.lenses)


@router.post("/lenses/fit", response_model=FitSummary, responses=described("The lens"))
async def fit_lens(request: Request, here: Here, asked: FitInput) -> Response:
    """Fit a lens and keep it under the name of its kind. A fit that was given up goes on where it was."""
    limits = here.settings.limits
    if asked.prompts is not None:
        check_at_most("prompts", asked.prompts, limits.lens_prompts)
    if asked.tokens is not None:
        check_at_most("tokens", asked.tokens, limits.prompt_tokens)

    def work(debugger: "Debugger", channel: Channel) -> FitSummary:
        return debugger.fit_lens(
            asked.kind, prompts=asked.prompts, tokens=asked.tokens, estimator=asked.estimator, seed=asked.seed,
            force=asked.force, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))


@router.post("/lenses/compare", response_model=LensComparison, responses=described("The comparison"))
async def compare_lenses(request: Request, here: Here, asked: CompareLensesInput) -> Response:
    """How well the logit, tuned and Jacobian lens read each layer, on text that they were not fitted on."""
    check_at_most("tokens", asked.tokens, here.settings.limits.cells)
    check_at_most("pushes", asked.pushes, here.settings.limits.results)

    def work(debugger: "Debugger", channel: Channel) -> LensComparison:
        return debugger.compare_lenses(
            tokens=asked.tokens, pushes=asked.pushes, progress=channel.progress, cancel=channel.cancel
        )

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
