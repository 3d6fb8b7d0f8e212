"""`/api/health`: whether the model is there."""

from fastapi import APIRouter

from lm_debugger.records.service import Health
from lm_debugger.server.services import Here

router = APIRouter(tags=["server"])


@router.get("/health")
async def health(here: Here) -> Health:
    """Whether the model is there, and how much waits for it. Answers at any time."""
    return here.health
