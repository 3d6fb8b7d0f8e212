"""`/api/bisect`: where two runs part."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.bisect import Bisection
from lm_debugger.server.inputs import Position, RunInput, check_at_most, check_tokens
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class BisectInput(RunInput):
    """A run and another one: of another prompt, or of the same with the edits."""

    source: str | None = Field(
        None,
        min_length=1,
        description="The other prompt. Without it, the prompt with `interventions` is the other run.",
    )
    position: Position = -1
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/bisect", response_model=Bisection, responses=described("Where they part"))
async def bisect(request: Request, here: Here, asked: BisectInput) -> Response:
    """The layer, the part and the units at which taking over the other run's activations flips the answer."""
    limits = here.settings.limits
    prompt, edits, _ = await asked.asked(limits)
    source = asked.source
    if source is not None:
        check_at_most("The length of source", len(source), limits.prompt_characters)

    def work(debugger: "Debugger", channel: Channel) -> Bisection:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), limits)
        other = None if source is None else debugger.model.vocabulary.encode(source)
        check_tokens(len(other or ()), limits)
        return debugger.bisect(
            ids, other, position=asked.position, interventions=edits, progress=channel.progress, cancel=channel.cancel
        )

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
