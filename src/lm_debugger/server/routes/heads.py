"""`/api/heads`: attention heads by their weights."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from lm_debugger.records.head import HeadView
from lm_debugger.records.lens import LensName
from lm_debugger.records.names import HeadName
from lm_debugger.records.naming import with_names
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["values"])


@router.get("/heads/{head}", response_model=HeadView, responses=described("The head"))
async def head(
    request: Request,
    here: Here,
    head: Annotated[str, Path(description="Such as L12H3.", examples=["L12H3"])],
    top_k: Annotated[int, Query(ge=1, le=100, description="How many pairs of tokens on each side.")] = 20,
    lens: Annotated[LensName | None, Query(description="Through which what it writes is read.")] = None,
) -> Response:
    """What an attention head copies and suppresses when it attends to a token: the extremes of its OV circuit."""
    from lm_debugger.edits.validate import check_name

    name = HeadName.parse(head)
    check_name(name, here.debugger.model)
    names = await here.names()

    def work(debugger: "Debugger", channel: Channel) -> HeadView:
        view = debugger.head(name, top_k=top_k, lens=lens, progress=channel.progress, cancel=channel.cancel)
        return with_names(view, names)

    return await answer(request, here, work, stream=wants_stream(request), forward=False)
