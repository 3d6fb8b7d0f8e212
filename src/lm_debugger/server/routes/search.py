"""`/api/search`: value vectors by keywords, by likeness, or by what they write in a residual stream."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from fastapi import Query as Parameter
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records import limits
from lm_debugger.records.lens import LensName
from lm_debugger.records.names import ValueName, read_layers, read_unit
from lm_debugger.records.naming import with_names
from lm_debugger.records.search import AnySign, Combine, Filter, Query, SearchAnswer
from lm_debugger.server.inputs import INTEGER, Position, RunInput, SeenInput, check_at_most, run
from lm_debugger.server.longwork import Channel, LongWork, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["values"])

Layers = Annotated[str, Field(max_length=50, description="Only these layers.", examples=["10-20"])]
Expert = Annotated[int, Field(ge=0, le=INTEGER, description="Only the experts of this index.")]
Limit = Annotated[int, Field(ge=1, description="How many results.")]
Named = Annotated[bool, Field(description="Only vectors that users have named.")]
Words = Annotated[str, Parameter(max_length=limits.QUERY)]


class PlaceInput(RunInput):
    """A run and a position in it."""

    position: Position = -1


class ResidualInput(PlaceInput, SeenInput):
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
    q: Annotated[Words, Parameter(description="Keywords, with commas between.", examples=["teacher, school"])] = "",
    unwanted: Annotated[Words, Parameter(description="Keywords that count against a vector.")] = "",
    like: Annotated[str | None, Parameter(max_length=100, description="A vector, instead of keywords.")] = None,
    match: Annotated[Combine, Parameter(description="The mean over the keywords, or the largest.")] = "all",
    skip: Annotated[list[str], Parameter(max_length=512, description="Keys of forms that do not count.")] = [],  # noqa: B006 (FastAPI copies it)
    layers: Annotated[Layers | None, Parameter()] = None,
    sign: Annotated[AnySign, Parameter(description="Sign of the coefficient.")] = "both",
    expert: Annotated[Expert | None, Parameter()] = None,
    named: Annotated[Named, Parameter()] = False,
    limit: Annotated[Limit, Parameter()] = 20,
    lens: Annotated[LensName | None, Parameter(description="Through which vectors are seen.")] = None,
) -> Response:
    """Every value vector of the network, scored by how strongly it writes keywords, or by likeness to one vector."""
    check_at_most("limit", limit, here.settings.limits.results)
    names = await here.names()
    liked = None if like is None else read_unit(like)
    query = Query(keywords=q, unwanted=unwanted, match=match, skip=tuple(skip), like=liked)
    among = _filter(layers, sign, expert, names if named else None, limit)

    def work(debugger: "Debugger", channel: Channel) -> SearchAnswer:
        found = debugger.find_values(query, among, lens=lens, progress=channel.progress, cancel=channel.cancel)
        return with_names(found, names)

    return await _answer(request, here, work, lens)


@router.post("/search", response_model=SearchAnswer, responses=described("The vectors found"))
async def writers(request: Request, here: Here, asked: ResidualInput) -> Response:
    """The value vectors that write a residual stream, or that tell it from another one: the largest shares of it."""
    check_at_most("limit", asked.limit, here.settings.limits.results)
    names = await here.names()
    among = _filter(asked.layers, asked.sign, asked.expert, names if asked.named else None, asked.limit)
    found = await run(asked, here, request)
    other = None if asked.against is None else await run(asked.against, here, request)

    def work(debugger: "Debugger", channel: Channel) -> SearchAnswer:
        from lm_debugger.readouts.writers import RunPosition

        against = None if other is None or asked.against is None else RunPosition(other, asked.against.position)
        answer = debugger.find_writers(
            RunPosition(found, asked.position), among, layer=asked.layer, against=against,
            progress=channel.progress, cancel=channel.cancel,
        )  # fmt: skip
        return with_names(answer, names)

    return await _answer(request, here, work)


async def _answer(request: Request, here: Here, work: LongWork, lens: str | None = None) -> Response:
    """In one piece or as a stream. What is not measured yet takes long, and must not keep the read-outs waiting."""
    at_once = here.debugger.can_search_through(lens)
    return await answer(request, here, work, stream=wants_stream(request), forward=not at_once)


def _filter(layers: str | None, sign: AnySign, expert: int | None, among: Iterable[str] | None, limit: int) -> Filter:
    return Filter(
        layers=None if layers is None else read_layers(layers),
        sign=sign,
        expert=expert,
        among=None if among is None else tuple(name for name in map(read_unit, among) if isinstance(name, ValueName)),
        limit=limit,
    )
