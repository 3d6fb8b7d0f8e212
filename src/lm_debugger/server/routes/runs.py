"""`/api/runs`: the runs that users keep."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from lm_debugger.records.base import Record
from lm_debugger.records.saved import SavedRun
from lm_debugger.server.failures import NotFoundError
from lm_debugger.server.inputs import Input, KeptText, Place, RunInput
from lm_debugger.server.services import Here

router = APIRouter(tags=["runs"])


class KeepInput(Input):
    """A run to keep."""

    prompt: KeptText = Field(min_length=1)
    interventions: list[str] = Field(default_factory=list)
    position: Place = -1
    title: KeptText = Field("", max_length=200)


class Runs(Record):
    """The runs kept of a model, newest first."""

    fingerprint: str
    runs: tuple[SavedRun, ...]


@router.get("/runs")
async def runs(here: Here, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Runs:
    """The runs kept of this model, newest first."""
    fingerprint = here.debugger.summary.fingerprint
    return Runs(fingerprint=fingerprint, runs=await run_in_threadpool(here.database.runs, fingerprint, limit))


@router.post("/runs", status_code=201)
async def keep(here: Here, asked: KeepInput) -> SavedRun:
    """Keep a run: prompt, edits and position, not its numbers, which are computed again."""
    fingerprint = here.debugger.summary.fingerprint
    limits = here.settings.limits
    key = RunInput(prompt=asked.prompt, ids=None, interventions=asked.interventions).key(limits)
    return await run_in_threadpool(
        lambda: here.database.add_run(
            fingerprint,
            prompt=asked.prompt,
            interventions=key.interventions,
            position=asked.position,
            title=asked.title.strip(),
        )
    )


@router.delete("/runs/{number}", status_code=204)
async def forget(here: Here, number: Annotated[int, Path(ge=1, lt=2**53)]) -> None:
    """Forget a run."""
    fingerprint = here.debugger.summary.fingerprint
    if not await run_in_threadpool(here.database.remove_run, fingerprint, number):
        raise NotFoundError(f"There is no run {number} of this model.", "GET /api/runs lists those there are.")
