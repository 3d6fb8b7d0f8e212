"""`/api/model`: the model and the proof of its anatomy."""

from fastapi import APIRouter

from lm_debugger.records.service import ModelReport
from lm_debugger.server.services import Here

router = APIRouter(tags=["server"])


@router.get("/model")
async def model(here: Here) -> ModelReport:
    """The model, and how its anatomy was found and proved."""
    return ModelReport(model=here.debugger.summary, examination=here.debugger.examine())
