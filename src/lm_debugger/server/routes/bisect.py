"""`/api/bisect`: where two runs part."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.errors import OptionError
from lm_debugger.records import limits
from lm_debugger.records.bisect import Bisection, MaxNewTokens
from lm_debugger.server.inputs import Many, Position, RunInput, TokenId, check_at_most, check_tokens, read_edits
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class BisectInput(RunInput):
    """A run and another one: of another prompt, of the other model, or of the same prompt with the edits."""

    source: str | None = Field(
        None,
        min_length=1,
        description="The other prompt. Without it and `other`, the prompt with `interventions` is the other run.",
    )
    source_ids: Many[TokenId] | None = Field(None, min_length=1, description="The other prompt's token ids, instead.")
    source_interventions: Many[str] = Field(
        default_factory=list, description="Edits in force in the other prompt's run."
    )
    other: bool = Field(
        False,
        description="The other run is that of the server's other model (`serve --other`, see `GET /api/model`). "
        "Both continue the prompt until a token differs.",
    )
    max_new_tokens: MaxNewTokens = Field(
        limits.BISECT_TOKENS,
        description="Most tokens that the two models write; 0 compares the next token only, at `position`.",
    )
    position: Position = -1
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/bisect", response_model=Bisection, responses=described("Where they part"))
async def bisect(request: Request, here: Here, asked: BisectInput) -> Response:
    """The layer, the part and the units at which taking over the other run's activations flips the answer."""
    most = here.settings.limits
    prompt, edits, _ = await asked.asked(most)
    check_at_most("The length of source", len(asked.source or ""), most.prompt_characters)
    if asked.source is not None and asked.source_ids is not None:
        raise OptionError("Both source and source_ids are given.", "Give one of them.")
    source = asked.source if asked.source_ids is None else tuple(asked.source_ids)
    theirs = await run_in_threadpool(read_edits, asked.source_interventions, most)
    model = None
    if asked.other:
        check_at_most("max_new_tokens", asked.max_new_tokens, most.new_tokens)
        model = here.worker.other

    def work(debugger: "Debugger", channel: Channel) -> Bisection:
        for text in (prompt, source):
            check_tokens(0 if text is None else len(debugger.model.vocabulary.encode(text)), most)
        return debugger.bisect(
            prompt, source, other=model, position=asked.position, interventions=edits, source_interventions=theirs,
            max_new_tokens=asked.max_new_tokens, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
