"""`/api/watches`: an expression while it is being written: what is wrong with it, and how it may go on."""

from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from lm_debugger.records import limits
from lm_debugger.records.watch import WatchCheck
from lm_debugger.server.inputs import Input, Many
from lm_debugger.server.services import Here

router = APIRouter(tags=["sessions"])


class WatchInput(Input):
    """An expression that is being written."""

    expression: str = Field(max_length=limits.WATCH + 1, examples=['p(" Par'])
    cursor: int | None = Field(None, ge=0, le=limits.WATCH + 1, description="Where it is being written; else its end.")
    condition: bool = Field(False, description="Whether it is to be a condition to stop at.")
    units: Many[str] = Field(default_factory=list, max_length=limits.WATCHES, description="Units worth proposing.")


@router.post("/watches")
async def watches(here: Here, asked: WatchInput) -> WatchCheck:
    """Whether an expression can be read, where it is wrong, and how it may go on at the cursor."""
    host = here.debugger
    return await run_in_threadpool(
        lambda: host.check_watch(asked.expression, asked.cursor, condition=asked.condition, units=asked.units)
    )
