"""`/api/heads`: all attention heads of a run."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.attention import HeadTable
from lm_debugger.records.naming import with_names
from lm_debugger.server.inputs import Position, SeenInput, check_tokens
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class HeadsInput(SeenInput):
    """A run, and where to read what the heads write."""

    position: Position = -1
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/heads", response_model=HeadTable, responses=described("The heads"))
async def heads(request: Request, here: Here, asked: HeadsInput) -> Response:
    """What every head writes at a position, and how it attends: to the token before, the first, the same, the next."""
    limits = here.settings.limits
    prompt, edits, lens = await asked.asked(limits)
    names = await here.names()

    def work(debugger: "Debugger", channel: Channel) -> HeadTable:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), limits)
        found = debugger.heads(ids, asked.position, edits, lens=lens, progress=channel.progress, cancel=channel.cancel)
        return with_names(found, names)

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
