"""Joins the server: settings in, a FastAPI application out. It answers at once and loads the model behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from lm_debugger import __version__
from lm_debugger.errors import OptionError
from lm_debugger.server import failures, page
from lm_debugger.server.guard import Guard
from lm_debugger.server.routes import (
    bisect,
    calibrate,
    clusters,
    compare,
    directions,
    effects,
    examples,
    fix,
    flow,
    generate,
    grid,
    heads,
    heads_of_prompt,
    health,
    lenses,
    model,
    patch,
    recipes,
    runs,
    search,
    sessions,
    tokens,
    trace,
    trajectory,
    values,
    watches,
    why,
)
from lm_debugger.server.services import ERRORS, Services
from lm_debugger.server.settings import Settings
from lm_debugger.server.worker import ModelWorker, Opener
from lm_debugger.store.database import Database
from lm_debugger.work import Progress

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

_NOUNS = (
    health,
    model,
    examples,
    tokens,
    trace,
    compare,
    grid,
    trajectory,
    why,
    heads_of_prompt,
    flow,
    patch,
    bisect,
    effects,
    fix,
    generate,
    values,
    heads,
    search,
    clusters,
    calibrate,
    directions,
    lenses,
    runs,
    recipes,
    watches,
    sessions,
)

_DESCRIPTION = """See how a language model builds a prediction, change the vectors that decide it, watch the difference.
Every error has the shape {"error": {"code", "what", "cure"}}."""


def create_app(
    settings: Settings, opener: Opener | None = None, static: Path = page.STATIC, other: Opener | None = None
) -> FastAPI:
    """The application for one model.

    Args:
        settings: how to serve which model.
        opener: loads the model; by default the one that the settings name.
        static: folder of the web page that was built.
        other: loads the other model; by default the one that the settings name, if they do.

    Raises:
        OptionError: if other machines could reach the server without a token.

    A database that cannot be opened is told in the health, and what needs it is refused.
    """
    if not settings.loopback and not settings.token:
        raise OptionError(f"{settings.host} can be reached by other machines.", "Serve it with a token.")
    if other is None and settings.other is not None:
        other = _opener(settings, settings.other)  # without the lens: nothing of it is read layer by layer
    worker = ModelWorker(
        opener or _opener(settings, settings.model, settings.lens),
        settings.limits.waiting, settings.limits.seconds, other,
    )  # fmt: skip
    services = Services(settings, worker, Database(settings.database, required=False))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker.start()
        try:
            yield
        finally:
            worker.stop()
            services.database.close()

    app = FastAPI(
        title="LM-Debugger",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        # They would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation,
    )
    app.state.services = services
    api = APIRouter(prefix="/api", responses=ERRORS)
    for noun in _NOUNS:
        api.include_router(noun.router)
    app.include_router(api)
    page.install(app, static)
    failures.install(app)
    app.add_middleware(Guard, settings=settings)
    return app


def _operation(route: APIRoute) -> str:
    """Short names for generated clients."""
    return route.name


def _opener(settings: Settings, model: str, lens: str | None = None) -> Opener:
    def load(progress: Progress) -> "Debugger":
        import lm_debugger

        spread = settings.device == "auto"
        debugger = lm_debugger.load(
            model,
            device=None if spread else settings.device,
            dtype=settings.dtype,
            device_map="auto" if spread else None,
            trust_remote_code=settings.trust_remote_code,
            progress=progress,
        )
        if lens is not None:
            debugger.use_lens(lens)
        return debugger

    return load
