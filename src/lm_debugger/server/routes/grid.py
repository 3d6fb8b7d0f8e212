"""`/api/grid`: the logit lens over many layers and positions of a run."""

import threading
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.grid import LensGrid
from lm_debugger.server.inputs import INTEGER, Many, Position, SeenInput, TokenId, check_at_most, run
from lm_debugger.server.services import Here, as_json

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["runs"])

Layer = Annotated[int, Field(ge=0, le=INTEGER)]


class GridInput(SeenInput):
    """A run, and the region to read."""

    layers: Many[Layer] | None = Field(None, min_length=1, description="The layers to read; all if left out.")
    positions: Many[Position] | None = Field(None, min_length=1, description="The positions to read; all if left out.")
    token: TokenId | None = Field(None, description="Id of a token whose rank and probability to read in each cell.")


@router.post("/grid", response_model=LensGrid)
async def grid(request: Request, here: Here, asked: GridInput) -> Response:
    """The most probable token after each layer at each position, with its probability and the cell's entropy."""
    found = await run(asked, here, request)
    layers = found.model.layers if asked.layers is None else len(asked.layers)
    positions = len(found) if asked.positions is None else len(asked.positions)
    check_at_most("The number of cells", layers * positions, here.settings.limits.cells)

    def read(_: "Debugger", cancel: threading.Event) -> LensGrid:
        from lm_debugger.readouts.grid import grid as lens_grid

        return lens_grid(found, layers=asked.layers, positions=asked.positions, token=asked.token, cancel=cancel)

    # It may take seconds: among the forwards, so that the read-outs of a click do not wait for it.
    return as_json(await here.worker.forward(request, read))
