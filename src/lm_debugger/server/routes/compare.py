"""`/api/compare`: the predictions of any two runs, side by side."""

import threading
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.trace import Comparison
from lm_debugger.server.inputs import Input, Position, RunInput, check_at_most, run
from lm_debugger.server.services import Here, as_json

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class PlaceInput(RunInput):
    """A run, and where to read it."""

    position: Position = -1


class CompareInput(Input):
    """Two runs, each at a position."""

    a: PlaceInput
    b: PlaceInput
    top_k: int = Field(10, ge=1, description="How many of each run's tokens to list.")


@router.post("/compare", response_model=Comparison)
async def compare(request: Request, here: Here, asked: CompareInput) -> Response:
    """Probability and rank of the top tokens of both runs, `before` in a and `after` in b, and how far b is from a."""
    check_at_most("top_k", asked.top_k, here.settings.limits.top_k)
    a = await run(asked.a, here, request)
    b = await run(asked.b, here, request)

    def read(_: "Debugger", __: threading.Event) -> Comparison:
        from lm_debugger.readouts.compare import compare as between

        return between(a, b, asked.b.position, asked.top_k, asked.a.position)

    return as_json(await here.worker.read(request, read))
