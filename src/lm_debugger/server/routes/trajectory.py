"""`/api/trajectory`: chosen tokens through the layers."""

import threading
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.trajectory import Trajectory
from lm_debugger.server.inputs import Many, Position, SeenInput, TokenId, check_at_most, run
from lm_debugger.server.services import Here, as_json

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])


class TrajectoryInput(SeenInput):
    """A run, where to read it, and the tokens to follow."""

    position: Position = -1
    tokens: Many[TokenId] = Field(min_length=1, description="Ids of the tokens to follow; GET /api/tokens finds them.")


@router.post("/trajectory", response_model=Trajectory)
async def trajectory(request: Request, here: Here, asked: TrajectoryInput) -> Response:
    """Probability, logit and rank of chosen tokens before and after each layer, with and without the edits."""
    check_at_most("The number of tokens", len(asked.tokens), here.settings.limits.tokens_followed)
    found = await run(asked, here, request)

    def read(_: "Debugger", __: threading.Event) -> Trajectory:
        from lm_debugger.readouts.trajectory import trajectory as follow

        return follow(found, asked.tokens, asked.position)

    return as_json(await here.worker.read(request, read))
