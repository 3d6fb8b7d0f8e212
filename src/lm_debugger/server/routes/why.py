"""`/api/why`: who wrote a prediction."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.errors import OptionError
from lm_debugger.records.why import Ablation, EstimateMethod, Why
from lm_debugger.server.inputs import Position, SeenInput, TokenId, check_at_most, check_tokens
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])

Word = Annotated[str, Field(min_length=1, max_length=200)]


class WhyInput(SeenInput):
    """A run, a position, and a token there, perhaps against another."""

    position: Position = -1
    target: Word | None = Field(
        None, description="The token to explain, with its leading space; the top one if left out.", examples=[" doctor"]
    )
    against: Word | None = Field(
        None, description="A token to compare with. Without any target either, the runner-up; else none."
    )
    target_id: TokenId | None = Field(None, description="The token's id, instead of its text.")
    against_id: TokenId | None = Field(None, description="The other token's id, instead of its text.")
    top_k: int = Field(20, ge=1, description="How many parts to list.")
    layers: str | None = Field(None, max_length=50, description="List parts of these layers.", examples=["10-20"])
    estimate: bool | EstimateMethod = Field(
        True, description="Estimate what the difference would lose without each part, by this method or the default."
    )
    verify: int = Field(0, ge=0, description="Measure that for so many parts, by ablating each of them.")
    ablate: Ablation | None = Field(None, description="What takes an ablated part's place; zero if left out.")
    resample: str | None = Field(None, min_length=1, description="The other prompt, for ablate: resample.")
    sources: bool = Field(False, description="Tell what each listed head brought from each token.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/why", response_model=Why, responses=described("Who wrote it"))
async def why(request: Request, here: Here, asked: WhyInput) -> Response:
    """The parts of a token's logit, or of its lead over another's: what every unit adds directly. They add up."""
    limits = here.settings.limits
    prompt, edits, lens = await asked.asked(limits)
    check_at_most("top_k", asked.top_k, limits.results)
    check_at_most("verify", asked.verify, limits.results)
    target = either(asked.target, asked.target_id, "target")
    against = either(asked.against, asked.against_id, "against")

    check_at_most("The length of resample", len(asked.resample or ""), limits.prompt_characters)

    def work(debugger: "Debugger", channel: Channel) -> Why:
        check_tokens(len(ids := debugger.model.vocabulary.encode(prompt)), limits)
        other = None if asked.resample is None else debugger.model.vocabulary.encode(asked.resample)
        check_tokens(len(other or ()), limits)
        return debugger.why(
            ids, target, against, asked.position, edits, top_k=asked.top_k, layers=asked.layers,
            estimate=asked.estimate, verify=asked.verify, ablate=asked.ablate, resample=other, sources=asked.sources,
            lens=lens, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))


def either(text: str | None, number: int | None, name: str) -> str | int | None:
    """A token by its text or by its id.

    Raises:
        OptionError: if both are given.
    """
    if text is not None and number is not None:
        raise OptionError(f"Both {name} and {name}_id are given.", "Give one of them.")
    return text if number is None else number
