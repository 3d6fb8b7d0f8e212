"""`/api/calibrate`: measure the range of every coefficient."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.calibration import CalibrationSummary
from lm_debugger.server.inputs import Input, check_at_most
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["values"])


class CalibrateInput(Input):
    """How to calibrate: over text that the model writes itself."""

    tokens: int = Field(4096, ge=1, description="How many tokens to measure.")
    seed: int = Field(0, ge=0, lt=2**53)
    force: bool = Field(False, description="Measure again although a calibration is known.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


@router.post("/calibrate", response_model=CalibrationSummary, responses=described("The calibration"))
async def calibrate(request: Request, here: Here, asked: CalibrateInput) -> Response:
    """Measure the range of every coefficient, which is what `on` and `on-` mean. Kept in the server's cache."""
    check_at_most("tokens", asked.tokens, here.settings.limits.calibration_tokens)

    def work(debugger: "Debugger", channel: Channel) -> CalibrationSummary:
        return debugger.calibrate(
            tokens=asked.tokens, seed=asked.seed, force=asked.force, progress=channel.progress, cancel=channel.cancel
        )

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))
