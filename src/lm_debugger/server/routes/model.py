"""`/api/model`: the model and the proof of its anatomy."""

from fastapi import APIRouter

from lm_debugger.records.service import ModelReport
from lm_debugger.server.services import Here

router = APIRouter(tags=["server"])


@router.get("/model")
async def model(here: Here) -> ModelReport:
    """The model, how its anatomy was found and proved, and the one that it can be bisected with."""
    debugger, worker = here.debugger, here.worker
    other = worker.other.summary if worker.has_other else None
    return ModelReport(model=debugger.summary, examination=debugger.examine(), other=other)
