"""`/api/runs`: the runs that users keep."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.saved import SavedRun
from lm_debugger.server.failures import NotFoundError
from lm_debugger.server.inputs import Input, KeptText, Many, Position, RunInput
from lm_debugger.server.services import Here

router = APIRouter(tags=["runs"])

Number = Annotated[int, Field(ge=1, lt=2**53)]


class KeepInput(Input):
    """A run to keep."""

    prompt: KeptText = Field(min_length=1)
    interventions: Many[str] = Field(default_factory=list)
    position: Position = -1
    title: KeptText = Field("", max_length=limits.TITLE)
    parent: Number | None = Field(None, description="The kept run that this one came from.")
    view: KeptText = Field(
        "",
        max_length=limits.VIEW,
        description="How the page shows it: its address's query without the prompt.",
    )


class TitleInput(Input):
    """What to call a run; "" takes its title away."""

    title: KeptText = Field("", max_length=limits.TITLE)


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
    run = RunInput(prompt=asked.prompt, ids=None, interventions=asked.interventions)
    _, edits, _ = await run.asked(here.settings.limits)
    found = await run_in_threadpool(
        lambda: here.database.add_run(
            fingerprint,
            prompt=asked.prompt,
            interventions=tuple(map(str, edits)),
            position=asked.position,
            title=asked.title.strip(),
            parent=asked.parent,
            view=asked.view,
        )
    )
    if found is None:
        raise _missing(asked.parent)
    return found


@router.put("/runs/{number}")
async def retitle(here: Here, number: Annotated[Number, Path()], asked: TitleInput) -> SavedRun:
    """Give a run another title, for all users of this server."""
    fingerprint = here.debugger.summary.fingerprint
    found = await run_in_threadpool(here.database.name_run, fingerprint, number, asked.title.strip())
    if found is None:
        raise _missing(number)
    return found


@router.delete("/runs/{number}", status_code=204)
async def forget(here: Here, number: Annotated[Number, Path()]) -> None:
    """Forget a run. Those that came from it then came from its parent."""
    fingerprint = here.debugger.summary.fingerprint
    if not await run_in_threadpool(here.database.remove_run, fingerprint, number):
        raise _missing(number)


def _missing(number: int | None) -> NotFoundError:
    return NotFoundError(f"There is no run {number} of this model.", "GET /api/runs lists those there are.")
