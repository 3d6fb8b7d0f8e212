"""`/api/patch`: parts of a run replaced by those of another."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.patch import PatchMap, PatchPart
from lm_debugger.server.inputs import Position, RunInput, TokenId, check_at_most, check_tokens
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.routes.why import Word, either
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class PatchInput(RunInput):
    """A run, another one, and what of that takes its place."""

    source: str = Field(min_length=1, description="The prompt whose run the parts come from.")
    part: PatchPart = Field("residual", description="What is replaced.")
    position: Position = -1
    target: Word | None = Field(None, description="The token to follow, with its leading space.")
    against: Word | None = Field(None, description="A token to compare with; without both, the other run's top one.")
    target_id: TokenId | None = Field(None, description="The token's id, instead of its text.")
    against_id: TokenId | None = Field(None, description="The other token's id, instead of its text.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/patch", response_model=PatchMap, responses=described("The map"))
async def patch(request: Request, here: Here, asked: PatchInput) -> Response:
    """A difference in logits with one activation at a time replaced by another run's: layers by positions, or heads."""
    limits = here.settings.limits
    prompt, edits, _ = await asked.asked(limits)
    check_at_most("The length of source", len(asked.source), limits.prompt_characters)
    target = either(asked.target, asked.target_id, "target")
    against = either(asked.against, asked.against_id, "against")

    def work(debugger: "Debugger", channel: Channel) -> PatchMap:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), limits)
        check_tokens(len(other := debugger.model.vocabulary.encode(asked.source)), limits)
        check_at_most("The number of cells", len(ids) * debugger.summary.layers, limits.cells)
        return debugger.patch(
            ids, other, asked.part, target, against, asked.position, edits,
            progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
