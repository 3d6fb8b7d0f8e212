"""The clusters of one model: made, kept in the cache, and read out as records. Knows no user's names of clusters."""

import json
import time
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lm_debugger.errors import NoClustersError, OptionError
from lm_debugger.lenses.projection import MOST, End, Projections
from lm_debugger.lenses.source import ValueSource
from lm_debugger.records.cluster import ClusterBrief, Clustering, ClusterMember, ClusterView
from lm_debugger.records.names import UnitName
from lm_debugger.records.token import PromotedToken
from lm_debugger.records.value import ClusterOfValue
from lm_debugger.search.clusters import kmeans, labels
from lm_debugger.store import cache
from lm_debugger.units.layout import Layout
from lm_debugger.work import Work

KIND, VERSION = "clusters", 2
_ARRAYS = (*kmeans.Groups._fields, *labels.Tokens._fields, "places")
NAMED_BY = 24  # tokens of a centre that are kept, of each kind
SHOWN = 8  # tokens in a cluster's line in the list, and in a member's
SIMILAR = 8  # clusters
MEMBERS = 100  # by default
MOST_SEED = 2**31 - 1  # faiss counts in 32 bits


@dataclass(frozen=True)
class Clusters:
    """Clusters as they are kept.

    Args:
        k: as it was asked for; a few less may have come out.
        seed: of the clustering.
        groups: centres, and who belongs to them.
        places: on the map: (clusters, 2), 0 to 1.
        tokens: what the centres promote, and what tells them apart: (clusters, NAMED_BY).
    """

    k: int
    seed: int
    groups: kmeans.Groups
    places: Tensor
    tokens: labels.Tokens

    @cached_property
    def clustered(self) -> Tensor:
        """Numbers of the vectors that belong to a cluster."""
        return torch.nonzero(self.groups.assignment >= 0)[:, 0]

    @cached_property
    def owners(self) -> Tensor:
        """Their clusters."""
        return self.groups.assignment[self.clustered].long()

    @cached_property
    def sizes(self) -> Tensor:
        """Members of each cluster."""
        return torch.bincount(self.owners, minlength=len(self.groups.centres))

    def means(self, numbers: Tensor) -> Tensor:
        """For each cluster the mean of its members' numbers, one for each of `clustered`: float64."""
        return torch.bincount(self.owners, weights=numbers.double(), minlength=len(self.sizes)) / self.sizes

    def members(self, cluster: int) -> Tensor:
        """Numbers of the vectors in a cluster, the closest to its centre first."""
        inside = self.clustered[self.owners == cluster]
        return inside[self.groups.cosine[inside].argsort(descending=True, stable=True)]


class ClusterBook:
    """Makes a model's clusters once, and answers what is asked of them.

    Args:
        source: the model.
        projections: its vectors' tokens.
    """

    def __init__(self, source: ValueSource, projections: Projections) -> None:
        self._source = source
        self._projections = projections
        self._layout = Layout(source)
        self._known: tuple[Clusters, Clustering] | None = None

    def make(self, k: int | None, seed: int | None, *, force: bool, work: Work) -> Clustering:
        """See `Debugger.clusters`."""
        if seed is not None and not 0 <= seed <= MOST_SEED:
            raise OptionError(f"seed is {seed}.", f"It must be from 0 to {MOST_SEED}.")
        vectors = self._layout.vectors
        if k is not None:
            kmeans.check_k(k, vectors)
        known = None if force else self._load()
        if known is not None and seed in (None, known[0].seed) and k in (None, known[0].k, known[1].k):
            return known[1]
        start = time.perf_counter()
        wanted, seed = kmeans.default_k(vectors) if k is None else k, seed or 0
        groups = kmeans.spherical(self._source, vectors, wanted, seed, work)
        tokens = labels.top_tokens(self._source, groups.centres, NAMED_BY, work)
        made = Clusters(wanted, seed, groups, labels.places(groups.centres, seed, work), tokens)
        _write(self._source.fingerprint, made)
        listed = self._listed(made)
        self._known = made, listed
        return listed.model_copy(update={"seconds": time.perf_counter() - start, "cached": False})

    def known(self) -> Clustering | None:
        """The clusters that were made of this model, or None."""
        known = self._load()
        return None if known is None else known[1]

    def view(self, cluster: int, members: int) -> ClusterView:
        """See `Debugger.cluster`."""
        found, listed = self._made()
        if not 0 <= cluster < len(listed.clusters):
            raise OptionError(f"There is no cluster {cluster}.", f"They are numbered 0 to {len(listed.clusters) - 1}.")
        if members < 0:
            raise OptionError(f"members is {members}.", "It must be 0 or more.")
        centre = found.groups.centres[cluster]
        logits = labels.project(self._source, centre[None])[0]
        inside = found.members(cluster)
        shown = inside[:members].tolist()
        names = [self._layout.name(number) for number in shown]
        self._projections.remember(map(End, names), SHOWN)
        cosines = found.groups.centres @ centre
        others = [other for other in cosines.argsort(descending=True, stable=True).tolist() if other != cluster]
        return ClusterView(
            brief=listed.clusters[cluster],
            k=listed.k,
            seed=listed.seed,
            promotes=self._tokens(logits, largest=True),
            suppresses=self._tokens(logits, largest=False),
            members=tuple(
                ClusterMember(
                    value=str(name),
                    cosine=float(found.groups.cosine[number]),
                    promotes=self._projections.texts(End(name), SHOWN),
                )
                for number, name in zip(shown, names, strict=True)
            ),
            layers=tuple(torch.bincount(self._layout.layers(inside), minlength=self._source.layers).tolist()),
            similar=tuple(others[:SIMILAR]),
            opposite=(others[-1], float(cosines[others[-1]])) if others else None,
        )

    def of(self, name: UnitName) -> ClusterOfValue | None:
        """A value vector's cluster; None before clusters were made, and for a vector of length 0."""
        known = self._load()
        if known is None:
            return None
        found, listed = known
        number = self._layout.number(name)
        cluster = int(found.groups.assignment[number])
        if cluster < 0:
            return None
        brief = listed.clusters[cluster]
        return ClusterOfValue(id=cluster, name=brief.name, size=brief.size, cosine=float(found.groups.cosine[number]))

    def _made(self) -> tuple[Clusters, Clustering]:
        known = self._load()
        if known is None:
            raise NoClustersError(
                "No clusters have been made of this model's value vectors.",
                "POST /api/clusters makes them, as do `lm-debugger clusters` and Debugger.clusters().",
            )
        return known

    def _load(self) -> tuple[Clusters, Clustering] | None:
        if self._known is None:
            found = _read(self._source.fingerprint, self._layout.vectors)
            if found is not None:
                self._known = found, self._listed(found)
        return self._known

    def _listed(self, found: Clusters) -> Clustering:
        """All clusters as a record."""
        cosine = found.groups.cosine[found.clustered]
        cohesion = found.means(cosine).tolist()
        layer = found.means(self._layout.layers(found.clustered)).tolist()
        sizes, places = found.sizes.tolist(), found.places.tolist()
        promoted, telling = self._texts(found.tokens.promoted[:, :SHOWN]), self._texts(found.tokens.telling)
        briefs = []
        for number, size in enumerate(sizes):
            briefs.append(
                ClusterBrief(
                    id=number,
                    name=labels.automatic_name(telling[number]),
                    size=size,
                    cohesion=cohesion[number],
                    promotes=tuple(promoted[number]),
                    x=places[number][0],
                    y=places[number][1],
                    layer=layer[number],
                )
            )
        return Clustering(
            fingerprint=self._source.fingerprint,
            k=len(briefs),
            seed=found.seed,
            value_vectors=len(cosine),
            cohesion=float(cosine.double().mean()),
            seconds=0.0,
            cached=True,
            clusters=tuple(briefs),
        )

    def _texts(self, tokens: Tensor) -> list[list[str]]:
        return [[self._source.vocabulary.text(token) for token in row] for row in tokens.tolist()]

    def _tokens(self, logits: Tensor, *, largest: bool) -> tuple[PromotedToken, ...]:
        """The tokens at one end of a projection (vocabulary,)."""
        top = logits.topk(min(MOST, len(logits)), largest=largest)
        return tuple(
            PromotedToken(id=token, text=self._source.vocabulary.text(token), logit=logit)
            for logit, token in zip(top.values.tolist(), top.indices.tolist(), strict=True)
        )


def _write(fingerprint: str, made: Clusters) -> None:
    arrays = {**made.groups._asdict(), **made.tokens._asdict(), "places": made.places}
    cache.write(KIND, fingerprint, VERSION, arrays, json.dumps({"k": made.k, "seed": made.seed}))


def _read(fingerprint: str, vectors: int) -> Clusters | None:
    entry = cache.read(KIND, fingerprint, VERSION)
    about = None if entry is None else entry.about(k=int, seed=int)
    if entry is None or about is None or not all(name in entry.arrays for name in _ARRAYS):
        return None
    arrays = entry.arrays
    count = len(arrays["centres"])
    of_centres = all(len(arrays[name]) == count for name in ("promoted", "telling"))
    if not of_centres or not entry.has(assignment=(vectors,), cosine=(vectors,), places=(count, 2)):
        return None
    groups = kmeans.Groups(arrays["centres"], arrays["assignment"], arrays["cosine"])
    tokens = labels.Tokens(arrays["promoted"], arrays["telling"])
    return Clusters(about["k"], about["seed"], groups, arrays["places"], tokens)
