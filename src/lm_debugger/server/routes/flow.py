"""`/api/flow`: how information flows to a prediction."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.flow import Flow
from lm_debugger.records.naming import with_names
from lm_debugger.server.inputs import Position, RunInput, check_tokens
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class FlowInput(RunInput):
    """A run, and whose prediction."""

    position: Position = -1
    threshold: float = Field(0.04, gt=0, le=1, description="Contributions below it are left out.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/flow", response_model=Flow, responses=described("The graph"))
async def flow(request: Request, here: Here, asked: FlowInput) -> Response:
    """The edges between tokens and layers that contribute most to a prediction (information-flow routes)."""
    limits = here.settings.limits
    prompt, edits, _ = await asked.asked(limits)
    names = await here.names()

    def work(debugger: "Debugger", channel: Channel) -> Flow:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), limits)
        found = debugger.flow(
            ids, asked.position, asked.threshold, edits, progress=channel.progress, cancel=channel.cancel
        )
        return with_names(found, names)

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
