"""`/api/values` and `/api/names`: value vectors, their coefficients along a text, and what users call them."""

import threading
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.records import limits
from lm_debugger.records.base import Record
from lm_debugger.records.lens import LensName
from lm_debugger.records.names import ValueName
from lm_debugger.records.naming import with_names
from lm_debugger.records.saved import NamedValue, ValueNote
from lm_debugger.records.trajectory import CoefficientPath
from lm_debugger.server.inputs import Input, KeptText, RunInput, run
from lm_debugger.server.routes.clusters import with_users_name
from lm_debugger.server.services import Here, Services, as_json

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger
    from lm_debugger.records.value import ValueView

router = APIRouter(tags=["values"])

Value = Annotated[str, Path(description="Such as L12D345, or L12E3D45 for an expert's.", examples=["L12D345"])]


class NameInput(Input):
    """What to call a value vector; both empty removes name and note."""

    name: KeptText = Field("", max_length=limits.NAME)
    note: KeptText = Field("", max_length=limits.NOTE)


class Names(Record):
    """The names and notes of a model's value vectors, last changed first."""

    fingerprint: str
    names: tuple[ValueNote, ...]


def _exists(here: Services, value: str) -> ValueName:
    """The name of a vector that the model has; ValueNameError otherwise."""
    from lm_debugger.edits.validate import check_name

    found = ValueName.parse(value)
    check_name(found, here.debugger.model)
    return found


@router.get("/values/{value}", response_model=NamedValue)
async def value(
    request: Request,
    here: Here,
    value: Value,
    top_k: Annotated[int, Query(ge=1, le=50, description="How many tokens on each side.")] = 50,
    similar: Annotated[int, Query(ge=0, le=50, description="How many of the closest and most opposite vectors.")] = 10,
    lens: Annotated[LensName | None, Query(description="Through which its tokens are read.")] = None,
) -> Response:
    """What a value vector promotes and suppresses, its neighbours, its coefficient's range, its name and note."""
    name = _exists(here, value)

    def read(debugger: "Debugger", cancel: threading.Event) -> "ValueView":
        progress = here.worker.reporting(cancel)
        return debugger.value(name, top_k=top_k, similar=similar, lens=lens, progress=progress, cancel=cancel)

    view = await here.worker.read(request, read)
    kept = await run_in_threadpool(here.database.note, here.debugger.summary.fingerprint, view.value)
    own = {field: getattr(view, field) for field in type(view).model_fields}
    own["cluster"] = await run_in_threadpool(with_users_name, here, view.cluster)
    found = NamedValue(**own, note=kept.note if kept else "")
    return as_json(with_names(found, await here.names()))


@router.post("/values/{value}/coefficients", response_model=CoefficientPath)
async def coefficients(request: Request, here: Here, value: Value, asked: RunInput) -> Response:
    """A value vector's coefficient at each token of a prompt, with and without the edits."""
    name = _exists(here, value)
    found = await run(asked, here, request)

    def read(_: "Debugger", __: threading.Event) -> CoefficientPath:
        from lm_debugger.readouts.trajectory import coefficients as along

        return along(found, name)

    return as_json(await here.worker.read(request, read))


@router.put("/values/{value}/name")
async def rename(here: Here, value: Value, asked: NameInput) -> ValueNote | None:
    """Name and describe a value vector, for all users of this server. Both empty removes; the answer is null then."""
    name = str(_exists(here, value))
    return await run_in_threadpool(
        here.database.write_note, here.debugger.summary.fingerprint, name, asked.name.strip(), asked.note.strip()
    )


@router.get("/names")
async def names(here: Here) -> Names:
    """The names and notes of this model's value vectors."""
    fingerprint = here.debugger.summary.fingerprint
    return Names(fingerprint=fingerprint, names=await run_in_threadpool(here.database.notes, fingerprint))
