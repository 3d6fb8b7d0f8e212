"""`/api/clusters`: value vectors grouped by direction, and what users call the groups."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from lm_debugger.errors import NoClustersError
from lm_debugger.records import limits
from lm_debugger.records.cluster import ClusterBrief, Clustering, ClusterView
from lm_debugger.records.naming import with_names
from lm_debugger.records.value import ClusterOfValue
from lm_debugger.server.failures import NotFoundError
from lm_debugger.server.inputs import INTEGER, Input, KeptText, check_at_most
from lm_debugger.server.longwork import Channel, answer, described, wants_stream
from lm_debugger.server.services import Here, Services, as_json

if TYPE_CHECKING:
    from lm_debugger.debugger.session import Debugger

router = APIRouter(tags=["clusters"])

Number = Annotated[int, Path(ge=0, le=INTEGER, description="A cluster's id.", examples=[7])]


class ClustersInput(Input):
    """How to cluster."""

    k: int | None = Field(
        None,
        ge=2,
        le=INTEGER,
        description="How many clusters; null for those that are known, else by the model's size.",
    )
    seed: int | None = Field(None, ge=0, le=INTEGER, description="Null for the known clusters', else 0.")
    force: bool = Field(False, description="Make them again although they are known.")
    stream: bool = Field(False, description="Answer with server-sent events, as with Accept: text/event-stream.")


class ClusterNameInput(Input):
    """What to call a cluster; empty for its automatic name."""

    name: KeptText = Field("", max_length=limits.NAME)


@router.post("/clusters", response_model=Clustering, responses=described("The clusters"))
async def make_clusters(request: Request, here: Here, asked: ClustersInput) -> Response:
    """Group all value vectors by direction. Kept in the server's cache; another k or seed takes the place of both."""
    if asked.k is not None:
        check_at_most("k", asked.k, here.settings.limits.clusters)

    def work(debugger: "Debugger", channel: Channel) -> Clustering:
        made = debugger.clusters(
            asked.k, asked.seed, force=asked.force, progress=channel.progress, cancel=channel.cancel
        )
        return _with_names(made, _names(here, made))

    return await answer(request, here, work, stream=asked.stream or wants_stream(request))


@router.get("/clusters", response_model=Clustering)
async def clusters(request: Request, here: Here) -> Response:
    """The clusters that were made of this model."""
    known = await _known(request, here)
    return as_json(_with_names(known, await run_in_threadpool(_names, here, known)))


@router.get("/clusters/{cluster}", response_model=ClusterView)
async def cluster(
    request: Request,
    here: Here,
    cluster: Number,
    members: Annotated[int, Query(ge=0, le=INTEGER, description="How many members to list at most.")] = 100,
) -> Response:
    """What a cluster's centre promotes and suppresses, its members, and clusters like it."""
    check_at_most("members", members, here.settings.limits.members)
    known = await _exists(request, here, cluster)
    view = await here.worker.read(request, lambda debugger, _: debugger.cluster(cluster, members=members))
    names = await run_in_threadpool(_names, here, known)
    called = view.model_copy(update={"brief": _called(view.brief, names)})
    return as_json(with_names(called, await here.names()))


@router.put("/clusters/{cluster}/name", response_model=ClusterBrief)
async def rename_cluster(request: Request, here: Here, cluster: Number, asked: ClusterNameInput) -> Response:
    """Name a cluster of this clustering, for all users of this server. Empty gives back the automatic name."""
    known = await _exists(request, here, cluster)
    name = asked.name.strip()
    await run_in_threadpool(here.database.write_cluster_name, known.fingerprint, _clustering(known), cluster, name)
    return as_json(_called(known.clusters[cluster], {cluster: name} if name else {}))


def with_users_name(here: Services, found: ClusterOfValue | None) -> ClusterOfValue | None:
    """A value vector's cluster by the name that users gave it. Asks the database."""
    known = here.debugger.known_clusters()
    if found is None or known is None:
        return found
    return found.model_copy(update={"name": _names(here, known).get(found.id, found.name)})


async def _known(request: Request, here: Services) -> Clustering:
    known = await here.worker.read(request, lambda debugger, _: debugger.known_clusters())
    if known is None:
        raise NoClustersError(
            "No clusters have been made of this model's value vectors.", "POST /api/clusters makes them."
        )
    return known


async def _exists(request: Request, here: Services, cluster: int) -> Clustering:
    known = await _known(request, here)
    if cluster >= len(known.clusters):
        raise NotFoundError(f"There is no cluster {cluster}.", f"They are numbered 0 to {len(known.clusters) - 1}.")
    return known


def _clustering(known: Clustering) -> str:
    """Names a clustering in the database: names of clusters hold for one alone."""
    return f"k{known.k}s{known.seed}"


def _names(here: Services, known: Clustering) -> dict[int, str]:
    return here.database.cluster_names(known.fingerprint, _clustering(known))


def _called(brief: ClusterBrief, names: dict[int, str]) -> ClusterBrief:
    name = names.get(brief.id)
    return brief if name is None else brief.model_copy(update={"name": name, "named": True})


def _with_names(known: Clustering, names: dict[int, str]) -> Clustering:
    if not names:
        return known
    return known.model_copy(update={"clusters": tuple(_called(brief, names) for brief in known.clusters)})
