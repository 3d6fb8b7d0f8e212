"""`/api/sweep` and `/api/side-effects`: an edit over its strengths, and edits in other texts."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.records import limits as bounds
from lm_debugger.records.effects import Points, SideEffects, Sweep, SweptOperation
from lm_debugger.server.inputs import INTEGER, Input, Many, Position, RunInput, check_at_most, check_tokens, read_edits
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class SweepInput(RunInput):
    """A run, and the unit whose strength is swept."""

    unit: str = Field(min_length=1, max_length=bounds.EDIT, examples=["L12D345", "L12H3"])
    target: str | None = Field(
        None, min_length=1, max_length=1000, description="The token to follow; null for the top."
    )
    position: Position = -1
    operation: SweptOperation | None = Field(None, description="Null: a coefficient is set, a head scaled.")
    low: float | None = Field(None, allow_inf_nan=False, description="Null for the calibrated `on-`.")
    high: float | None = Field(None, allow_inf_nan=False, description="Null for the calibrated `on`.")
    points: Points = 11
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/sweep", response_model=Sweep, responses=described("The prediction over strengths"))
async def sweep(request: Request, here: Here, asked: SweepInput) -> Response:
    """A token's probability and rank, and the prediction's divergence, over the strengths of one edit."""
    limits = here.settings.limits
    prompt, edits, _ = await asked.asked(limits)

    def work(debugger: "Debugger", channel: Channel) -> Sweep:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), limits)
        return debugger.sweep(
            ids, asked.unit, asked.target, asked.position, edits, operation=asked.operation, low=asked.low,
            high=asked.high, points=asked.points, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))


class SideEffectsInput(Input):
    """Edits, and the texts in which they are measured."""

    interventions: Many[str] = Field(min_length=1, description="The edits.", examples=[["L12D345=off"]])
    held: Many[str] | None = Field(None, description="The texts; null for some that the model writes itself.")
    continuations: int = Field(3, ge=0, le=100, description="How many texts are gone on from, the worst.")
    seed: int = Field(0, ge=0, le=INTEGER)
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/side-effects", response_model=SideEffects, responses=described("What the edits do elsewhere"))
async def side_effects(request: Request, here: Here, asked: SideEffectsInput) -> Response:
    """What edits do to texts that they are not meant for, the worst first, beside random edits of equal size."""
    limits = here.settings.limits
    edits = await run_in_threadpool(read_edits, asked.interventions, limits)
    check_at_most("The number of held texts", len(asked.held or ()), limits.results)
    check_at_most("The length of the held texts", sum(map(len, asked.held or ())), limits.prompt_characters)

    def work(debugger: "Debugger", channel: Channel) -> SideEffects:
        return debugger.side_effects(
            edits, asked.held, continuations=asked.continuations, seed=asked.seed, progress=channel.progress,
            cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
