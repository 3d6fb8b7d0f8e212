"""`/api/patch`: parts of a run replaced by those of another."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.edit import Edit
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

    def verb(debugger: "Debugger", runs: Runs, channel: Channel) -> PatchMap:
        return debugger.patch(
            runs.prompt, runs.source, asked.part, runs.target, runs.against, asked.position, runs.edits,
            progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await _between(request, here, asked, verb)


@router.post("/path-patch", response_model=PathMap, responses=described("The paths"))
async def path_patch(request: Request, here: Here, asked: PathInput) -> Response:
    """A difference in logits with one part reading another run's value of an earlier part, all between them held."""

    def verb(debugger: "Debugger", runs: Runs, channel: Channel) -> PathMap:
        return debugger.path_patch(
            runs.prompt, runs.source, asked.receiver, asked.sender, runs.target, runs.against, asked.position,
            runs.edits, through=asked.through, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await _between(request, here, asked, verb)


class Runs(NamedTuple):
    """What two runs are of, and the tokens whose lead is followed; within the server's limits."""

    prompt: Sequence[int]
    edits: Sequence[Edit]
    source: Sequence[int]
    target: str | int | None
    against: str | int | None


async def _between(
    request: Request, here: Here, asked: SourceInput, verb: Callable[["Debugger", Runs, Channel], Record]
) -> Response:
    most = here.settings.limits
    prompt, edits, _ = await asked.asked(most)
    check_at_most("The length of source", len(asked.source), most.prompt_characters)
    target = either(asked.target, asked.target_id, "target")
    against = either(asked.against, asked.against_id, "against")

    def work(debugger: "Debugger", channel: Channel) -> Record:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), most)
        check_tokens(len(other := debugger.model.vocabulary.encode(asked.source)), most)
        check_at_most("The number of cells", len(ids) * debugger.summary.layers, most.cells)
        return verb(debugger, Runs(ids, edits, other, target, against), channel)

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
