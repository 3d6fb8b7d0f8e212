"""`/api/patch`: parts of a run replaced by those of another."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records import limits
from lm_debugger.records.patch import PatchMap, PatchPart
from lm_debugger.records.path import PathMap, Through
from lm_debugger.server.inputs import Position, RunInput, TokenId, check_at_most, check_tokens
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.routes.why import Word, either
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


PartName = Annotated[str, Field(min_length=1, max_length=limits.UNIT_NAME)]


class SourceInput(RunInput):
    """A run, another one, and the tokens whose lead is followed."""

    source: str = Field(min_length=1, description="The prompt whose run the parts come from.")
    position: Position = -1
    target: Word | None = Field(None, description="The token to follow, with its leading space.")
    against: Word | None = Field(None, description="A token to compare with; without both, the other run's top one.")
    target_id: TokenId | None = Field(None, description="The token's id, instead of its text.")
    against_id: TokenId | None = Field(None, description="The other token's id, instead of its text.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


class PatchInput(SourceInput):
    """A run, another one, and what of that takes its place."""

    part: PatchPart = Field("residual", description="What is replaced.")


class PathInput(SourceInput):
    """A run, another one, and the path on which that takes its place."""

    receiver: PartName = Field(description="The part that reads: a unit, `L12 attention`, `L12 ffn` or `output`.")
    sender: PartName = Field("heads", description="The part that it reads, or `embedding`; or all `heads` or `ffn`.")
    through: Through = Field("nothing", description="What is computed anew between them.")


@router.post("/patch", response_model=PatchMap, responses=described("The map"))
async def patch(request: Request, here: Here, asked: PatchInput) -> Response:
    """A difference in logits with one activation at a time replaced by another run's: layers by positions, or heads."""
    most = here.settings.limits
    prompt, edits, _ = await asked.asked(most)
    check_at_most("The length of source", len(asked.source), most.prompt_characters)
    target = either(asked.target, asked.target_id, "target")
    against = either(asked.against, asked.against_id, "against")

    def work(debugger: "Debugger", channel: Channel) -> PatchMap:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), most)
        check_tokens(len(other := debugger.model.vocabulary.encode(asked.source)), most)
        check_at_most("The number of cells", len(ids) * debugger.summary.layers, most.cells)
        return debugger.patch(
            ids, other, asked.part, target, against, asked.position, edits,
            progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))


@router.post("/path-patch", response_model=PathMap, responses=described("The paths"))
async def path_patch(request: Request, here: Here, asked: PathInput) -> Response:
    """A difference in logits with one part reading another run's value of an earlier part, all between them held."""
    most = here.settings.limits
    prompt, edits, _ = await asked.asked(most)
    check_at_most("The length of source", len(asked.source), most.prompt_characters)
    target = either(asked.target, asked.target_id, "target")
    against = either(asked.against, asked.against_id, "against")

    def work(debugger: "Debugger", channel: Channel) -> PathMap:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), most)
        check_tokens(len(other := debugger.model.vocabulary.encode(asked.source)), most)
        check_at_most("The number of cells", len(ids) * debugger.summary.layers, most.cells)
        return debugger.path_patch(
            ids, other, asked.receiver, asked.sender, target, against, asked.position, edits, through=asked.through,
            progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
