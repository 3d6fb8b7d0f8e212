"""`/api/examples`: prompts to begin with."""

from fastapi import APIRouter

from lm_debugger.records.base import Record

router = APIRouter(tags=["server"])

# Those of the LM-Debugger demonstration (arXiv 2204.12130).
EXAMPLES = (
    "It was the first time that two",
    "Toward the end of the video, they sit on a",
    "the weather is going to be",
    "My wife is working as a",
)


class Examples(Record):
    """Prompts to begin with."""

    prompts: tuple[str, ...]


@router.get("/examples")
async def examples() -> Examples:
    """Prompts to begin with."""
    return Examples(prompts=EXAMPLES)
