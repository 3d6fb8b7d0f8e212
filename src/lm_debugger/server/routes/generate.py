"""`/api/generate`: continue a prompt, in one piece or token by token."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records import limits
from lm_debugger.records.generation import GeneratedToken, Generation, Seed, Temperature, TopK, TopP
from lm_debugger.server.inputs import Many, SeenInput, Watches, check_at_most, check_tokens
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


Stop = Annotated[str, Field(max_length=limits.NAME)]


class GenerateInput(SeenInput):
    """A prompt, edits, and how to continue."""

    max_new_tokens: int = Field(20, ge=1, description="Most tokens to generate.")
    temperature: Temperature = Field(0.0, description="0 takes the most probable token each time.")
    top_k: TopK | None = Field(None, description="Sample among this many most probable tokens.")
    top_p: TopP | None = Field(None, description="Sample among those of this total probability.")
    seed: Seed = 0
    stop: Many[Stop] = Field(default_factory=list, max_length=16, description="Texts to stop at.")
    chat: bool = Field(False, description="Put the prompt through the model's chat template.")
    compare: bool = Field(True, description="With edits, also generate without them.")
    watches: Watches = Field(default_factory=list, max_length=limits.WATCHES)
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/generate", response_model=Generation, responses=described("The continuation", "token"))
async def generate(request: Request, here: Here, asked: GenerateInput) -> Response:
    """Continue a prompt with the edits in force at every step; beside it the same without them."""
    most = here.settings.limits
    prompt, edits, lens = await asked.asked(most)
    check_at_most("max_new_tokens", asked.max_new_tokens, most.new_tokens)

    def work(debugger: "Debugger", channel: Channel) -> Generation:
        check_tokens(len(debugger.model.vocabulary.encode(prompt)), most)

        def token(found: GeneratedToken) -> None:
            channel.tell("token", found)

        return debugger.generate(
            prompt,
            edits,
            max_new_tokens=asked.max_new_tokens,
            temperature=asked.temperature,
            top_k=asked.top_k,
            top_p=asked.top_p,
            seed=asked.seed,
            stop=asked.stop,
            chat=asked.chat,
            compare=asked.compare,
            lens=lens,
            watches=asked.watches,
            on_token=token,
            cancel=channel.cancel,
            progress=channel.progress,
        )

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
