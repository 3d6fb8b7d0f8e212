"""`/api/trace`: a prompt's run read out at one position. Another position of the same run costs no forward."""

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from lm_debugger.records.trace import LayerView, TraceView
from lm_debugger.server.inputs import Place, RunInput, check_at_most, read_out
from lm_debugger.server.services import Here, as_json

router = APIRouter(tags=["runs"])


class TraceInput(RunInput):
    """A run, and where to read it."""

    position: Place = -1
    top_k: int = Field(10, ge=1, description="How many tokens and sub-updates to list.")
    effect_on: int | None = Field(
        None, ge=0, description="Id of a token: each sub-update then tells its direct effect on that token's logit."
    )


@router.post("/trace", response_model=TraceView)
async def trace(request: Request, here: Here, asked: TraceInput) -> Response:
    """How the prediction at a position is built, layer by layer; with edits, beside the same without."""
    check_at_most("top_k", asked.top_k, here.settings.limits.top_k)
    view = await read_out(asked, here, request, lambda found: found.view(asked.position, asked.top_k, asked.effect_on))
    return as_json(named(view, await here.names()))


def named(view: TraceView, names: dict[str, str]) -> TraceView:
    """The view with the users' names of its value vectors."""
    if not names:
        return view
    changes: dict[str, object] = {"layers": _named(view.layers, names)}
    if view.baseline is not None:
        changes["baseline"] = view.baseline.model_copy(update={"layers": _named(view.baseline.layers, names)})
    return view.model_copy(update=changes)


def _named(layers: tuple[LayerView, ...], names: dict[str, str]) -> tuple[LayerView, ...]:
    return tuple(
        layer.model_copy(
            update={
                "values": tuple(
                    found.model_copy(update={"name": names[found.value]}) if found.value in names else found
                    for found in layer.values
                )
            }
        )
        for layer in layers
    )
