"""Clusters of value vectors: groups of vectors that point the same way in the residual stream."""

from collections.abc import Callable, Mapping
from typing import Literal

from lm_debugger.records.base import Record
from lm_debugger.records.token import PromotedToken


class ClusterMember(Record):
    """A value vector in a cluster.

    Args:
        cosine: with the cluster's centre.
        promotes: the tokens that it promotes, strongest first.
        name: the user's name for it, or None.
    """

    value: str
    cosine: float
    promotes: tuple[str, ...]
    name: str | None = None


class ClusterBrief(Record):
    """One cluster as it stands in the list and on the map.

    Args:
        id: its number, from 0, the largest cluster first.
        name: the user's name, else the automatic one: of the words that its centre promotes, those that set it most
            apart from the other centres.
        named: whether the name is a user's.
        size: number of members.
        cohesion: mean cosine of the members with the centre, 0 to 1.
        promotes: the tokens that the centre promotes, strongest first.
        x, y: its place on the map, each from 0 to 1; near clusters point in similar directions.
        layer: mean layer of its members.
    """

    id: int
    name: str
    named: bool = False
    size: int
    cohesion: float
    promotes: tuple[str, ...]
    x: float
    y: float
    layer: float


class Clustering(Record):
    """All clusters of a model.

    Args:
        fingerprint: the model.
        k: number of clusters.
        seed: of the clustering.
        value_vectors: number of vectors clustered (a vector of length 0 belongs to none).
        cohesion: mean cosine of all vectors with their centres.
        seconds: how long it took, 0 when it came from the cache.
        cached: whether it came from the cache.
        clusters: all clusters, by id.
    """

    fingerprint: str
    k: int
    seed: int
    value_vectors: int
    cohesion: float
    seconds: float
    cached: bool
    clusters: tuple[ClusterBrief, ...]

    def listing(self, text: str, order: Literal["size", "cohesion", "layer"], limit: int) -> "Clustering":
        """The first `limit` clusters whose name or tokens contain a text (in any case), in an order.

        Args:
            order: the largest, the tightest, or those of the lowest layers first.
        """
        wanted = text.casefold()
        found = (
            brief for brief in self.clusters if any(wanted in part.casefold() for part in (brief.name, *brief.promotes))
        )
        return self.model_copy(update={"clusters": tuple(sorted(found, key=_ORDERS[order])[:limit])})


_ORDERS: Mapping[str, Callable[[ClusterBrief], float]] = {
    "size": lambda brief: brief.id,  # they are numbered so
    "cohesion": lambda brief: -brief.cohesion,
    "layer": lambda brief: brief.layer,
}


class ClusterView(Record):
    """One cluster.

    Args:
        brief: its line in the list.
        k, seed: the clustering it belongs to.
        promotes, suppresses: tokens by the summed projections of the members (each of length 1): those of the centre.
        members: the members, closest to the centre first; at most as many as asked for.
        layers: number of members in each layer.
        similar: ids of the clusters with the closest centres, closest first.
        opposite: id of the cluster whose centre is closest to the opposite direction, with the cosine.
    """

    brief: ClusterBrief
    k: int
    seed: int
    promotes: tuple[PromotedToken, ...]
    suppresses: tuple[PromotedToken, ...]
    members: tuple[ClusterMember, ...]
    layers: tuple[int, ...]
    similar: tuple[int, ...]
    opposite: tuple[int, float] | None
