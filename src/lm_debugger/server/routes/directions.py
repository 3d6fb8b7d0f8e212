"""`/api/directions`: the directions of the residual stream that are kept for this model, for edits to name."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from lm_debugger.records.direction import DirectionListing
from lm_debugger.server.services import Here

router = APIRouter(tags=["edits"])


@router.get("/directions")
async def directions(here: Here) -> DirectionListing:
    """The directions that are kept, as in `L12R(name)+=1`. They are made by `lm-debugger direction` or in Python."""
    return await run_in_threadpool(here.debugger.directions)
