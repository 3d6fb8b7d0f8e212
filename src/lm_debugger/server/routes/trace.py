"""`/api/trace`: a prompt's run read out at one position. Another position of the same run costs no forward."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records import limits
from lm_debugger.records.naming import with_names
from lm_debugger.records.trace import TraceView
from lm_debugger.server.inputs import INTEGER, Position, SeenInput, Watches, check_at_most, find, make
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class TraceInput(SeenInput):
    """A run, and where to read it."""

    position: Position = -1
    top_k: int = Field(10, ge=1, description="How many tokens and sub-updates to list.")
    effect_on: int | None = Field(
        None, ge=0, description="Id of a token: each sub-update then tells its direct effect on that token's logit."
    )
    watches: Watches = Field(default_factory=list, max_length=limits.WATCHES)
    head_tokens: int = Field(1, ge=0, le=INTEGER, description="Heads of a layer whose promoted tokens to list.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/trace", response_model=TraceView, responses=described("The read-out"))
async def trace(request: Request, here: Here, asked: TraceInput) -> Response:
    """How the prediction at a position is built, layer by layer; with edits, beside the same without.

    An edit such as `L12D345=on` has the ranges of all coefficients measured first, if they are not known; a stream
    tells how far that is.
    """
    check_at_most("top_k", asked.top_k, here.settings.limits.top_k)
    kept, wanted = await find(asked, here)
    names = await here.names()

    def work(debugger: "Debugger", channel: Channel) -> TraceView:
        # A new run is read where it was made, without another wait.
        found = make(wanted, here, debugger, channel.progress, channel.cancel) if kept is None else kept
        return with_names(
            found.view(asked.position, asked.top_k, asked.effect_on, asked.head_tokens, asked.watches), names
        )

    return await answer(request, here, work, stream=asked.stream or wants_stream(request), forward=kept is None)
