"""`/api/search`: value vectors by keywords, by likeness, or by what they write in a residual stream."""

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.search import SearchAnswer, Sign
from lm_debugger.server.inputs import INTEGER, Place, RunInput, check_at_most, run
from lm_debugger.server.longwork import Channel, LongWork, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["values"])

Layers = Annotated[str, Field(max_length=50, description="Only these layers.", examples=["10-20"])]
AnySign = Sign | Literal["both"]
Expert = Annotated[int, Field(ge=0, le=INTEGER, description="Only the experts of this index.")]
Limit = Annotated[int, Field(ge=1, description="How many results.")]
Named = Annotated[bool, Field(description="Only vectors that users have named.")]
Words = Annotated[str, Query(max_length=2000)]


class PlaceInput(RunInput):
    """A run and a position in it."""

    position: Place = -1


class ResidualInput(PlaceInput):
    """A residual stream, perhaps another one to tell it from, and which vectors may be found."""

    layer: Annotated[int, Field(ge=0, le=INTEGER)] | None = Field(
        None, description="The stream after this layer; the last if left out."
    )
    against: PlaceInput | None = Field(None, description="A run and a position whose residual stream is subtracted.")
    layers: Layers | None = None
    sign: AnySign = "both"
    expert: Expert | None = None
    named: Named = False
    limit: Limit = 20


@router.get("/search", response_model=SearchAnswer, responses=described("The vectors found"))
async def search(
    request: Request,
    here: Here,
    q: Annotated[Words, Query(description="Keywords, with commas between.", examples=["teacher, school"])] = "",
    unwanted: Annotated[Words, Query(description="Keywords that count against a vector.")] = "",
    like: Annotated[str | None, Query(max_length=100, description="A vector, instead of keywords.")] = None,
    match: Annotated[Literal["all", "any"], Query(description="The mean over the keywords, or the largest.")] = "all",
    skip: Annotated[list[str], Query(max_length=512, description="Keys of forms that do not count.")] = [],  # noqa: B006 (FastAPI copies it)
    layers: Annotated[Layers | None, Query()] = None,
    sign: Annotated[AnySign, Query(description="Sign of the coefficient.")] = "both",
    expert: Annotated[Expert | None, Query()] = None,
    named: Annotated[Named, Query()] = False,
    limit: Annotated[Limit, Query()] = 20,
) -> Response:
    """Every value vector of the network, scored by how strongly it writes keywords, or by likeness to one vector."""
    check_at_most("limit", limit, here.settings.limits.results)
    names = await here.names()

    def work(debugger: "Debugger", channel: Channel) -> SearchAnswer:
        found = debugger.search(
            q, unwanted=unwanted, like=like, match=match, skip=skip, layers=layers, sign=sign, expert=expert,
            among=tuple(names) if named else None, limit=limit, progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip
        return _named(found, names)

    return await _answer(request, here, work)


@router.post("/search", response_model=SearchAnswer, responses=described("The vectors found"))
async def writers(request: Request, here: Here, asked: ResidualInput) -> Response:
    """The value vectors that write a residual stream, or that tell it from another one: the largest shares of it."""
    check_at_most("limit", asked.limit, here.settings.limits.results)
    names = await here.names()
    found = await run(asked, here, request)
    other = None if asked.against is None else await run(asked.against, here, request)

    def work(debugger: "Debugger", channel: Channel) -> SearchAnswer:
        from lm_debugger.readouts.writers import Place as PlaceOfRun

        against = None if other is None or asked.against is None else PlaceOfRun(other, asked.against.position)
        answer = debugger.writers(
            PlaceOfRun(found, asked.position), layer=asked.layer, against=against, layers=asked.layers,
            sign=asked.sign, expert=asked.expert, among=tuple(names) if asked.named else None, limit=asked.limit,
            progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip
        return _named(answer, names)

    return await _answer(request, here, work)


async def _answer(request: Request, here: Here, work: LongWork) -> Response:
    """In one piece or as a stream. What is not measured yet takes long, and must not keep the read-outs waiting."""
    at_once = here.debugger.can_search_at_once
    return await answer(request, here, work, stream=wants_stream(request), forward=not at_once)


def _named(found: SearchAnswer, names: dict[str, str]) -> SearchAnswer:
    """The answer with the users' names of vectors."""
    results = [
        result.model_copy(update={"name": names[result.value]}) if result.value in names else result
        for result in found.results
    ]
    return found.model_copy(update={"results": tuple(results)})
