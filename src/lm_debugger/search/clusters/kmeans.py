"""Spherical k-means over all value vectors: centres, and to which of them each vector belongs. Keeps and shows nothing.

Vectors count by their direction: v and -v are as far apart as can be, and a vector of length 0 has no direction and
belongs nowhere. Where all vectors do not fit `SAMPLE_BYTES`, the centres are trained on a random sample of them; in the
end every vector is compared with every centre.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.lenses.source import ValueSource
from lm_debugger.work import Work

SAMPLE_BYTES = 600_000_000  # of float32 vectors that centres are trained on
ROWS = 4096  # vectors compared at once
ITERATIONS = 25  # at most
SETTLED = 1e-4  # part of the mean cosine that an iteration must add for another one to follow
VECTORS_PER_CLUSTER = 46  # by default: 1,000 clusters for the demo model's 46,080 vectors
FEWEST, MOST_BY_DEFAULT = 2, 3000


class Groups(NamedTuple):
    """The outcome: no cluster is empty, the largest is first.

    Args:
        centres: (k, hidden), float32, of length 1.
        assignment: for each vector, in the order of the blocks, its cluster, or -1: (vectors,), int32.
        cosine: with the own centre, 0 for vectors without a cluster: (vectors,), float32.
    """

    centres: Tensor
    assignment: Tensor
    cosine: Tensor


def default_k(vectors: int) -> int:
    """How many clusters so many vectors get: a round number where they are many."""
    k = min(max(vectors // VECTORS_PER_CLUSTER, FEWEST), MOST_BY_DEFAULT)
    return k if k < 100 else k - k % 10


def check_k(k: int, most: int) -> None:
    """Raise OptionError unless so many vectors can make k clusters."""
    if most < FEWEST:
        raise OptionError("The model has fewer than 2 value vectors that are not 0.", "There is nothing to cluster.")
    if not FEWEST <= k <= most:
        raise OptionError(f"k is {k}.", f"It must be from {FEWEST} to {most}.")


def largest_sample(vectors: int, hidden: int) -> int:
    """How many of so many vectors the centres are trained on."""
    return min(vectors, SAMPLE_BYTES // (4 * hidden))


@torch.no_grad()
def spherical(source: ValueSource, vectors: int, k: int, seed: int, work: Work) -> Groups:
    """Cluster the value vectors.

    Args:
        vectors: how many the source has.
        k: number of clusters; a few less come out where no vector is closest to a centre.
        seed: of the sample and of the first centres.

    Raises:
        OptionError: if k is out of range.
        CancelledError: if cancelled.
    """
    training = _sample(source, vectors, seed, work)
    check_k(k, len(training))
    centres = train(training, k, seed, work)
    del training
    return _ordered(centres, *_assign(source, vectors, centres, work))


def _sample(source: ValueSource, vectors: int, seed: int, work: Work) -> Tensor:
    """Directions of all vectors, or of as many random ones as fit: (sample, hidden)."""
    chosen: Tensor | None = None
    found: Tensor | None = None
    filled = 0
    for first, rows in _pieces(source):
        work.go_on()
        if found is None:
            size = largest_sample(vectors, rows.shape[1])
            found = torch.empty(size, rows.shape[1])
            if size < vectors:
                generator = torch.Generator().manual_seed(seed)
                chosen = torch.randperm(vectors, generator=generator)[:size].sort().values
        norms = rows.norm(dim=-1)
        wanted = _usable(norms)
        if chosen is not None:
            inside = torch.searchsorted(chosen, torch.tensor([first, first + len(rows)])).tolist()
            picked = torch.zeros(len(rows), dtype=torch.bool)
            picked[chosen[slice(*inside)] - first] = True
            wanted &= picked.to(wanted.device)
        unit = (rows[wanted] / norms[wanted, None]).cpu()
        found[filled : filled + len(unit)] = unit
        filled += len(unit)
        work("Reading value vectors", first + len(rows), vectors)
    return torch.empty(0, 1) if found is None else found[:filled]


def train(training: Tensor, k: int, seed: int, work: Work) -> Tensor:
    """Centres (k, hidden). One iteration at a time, so that it can be watched and stopped."""
    import faiss

    kmeans = faiss.Kmeans(
        training.shape[1],
        k,
        niter=1,
        spherical=True,
        seed=seed,
        # faiss would warn of small clusters, and leave vectors out where clusters are large.
        min_points_per_centroid=1,
        max_points_per_centroid=len(training) // k + 1,
    )
    directions = training.numpy()
    before = 0.0
    for done in range(ITERATIONS):
        work("Clustering", done, ITERATIONS)
        # It answers with the sum of the cosines, or with 0 where there are as many clusters as vectors.
        now = float(kmeans.train(directions, init_centroids=kmeans.centroids)) / len(training)
        if done and now - before < SETTLED * now:
            break
        before = now
    work("Clustering", ITERATIONS, ITERATIONS)
    return torch.nn.functional.normalize(torch.from_numpy(kmeans.centroids))


def _assign(source: ValueSource, vectors: int, centres: Tensor, work: Work) -> tuple[Tensor, Tensor]:
    """The closest centre of every vector, and the cosine with it."""
    assignment = torch.full((vectors,), -1, dtype=torch.int32)
    cosine = torch.zeros(vectors)
    for first, rows in _pieces(source):
        work.go_on()
        norms = rows.norm(dim=-1)
        usable = _usable(norms)
        best = (rows @ centres.to(rows.device).T).max(-1)
        here = slice(first, first + len(rows))
        assignment[here] = torch.where(usable, best.indices, -1).int().cpu()
        cosine[here] = torch.where(usable, best.values / norms, 0.0).clamp(-1, 1).cpu()
        work("Assigning vectors to clusters", first + len(rows), vectors)
    return assignment, cosine


def _ordered(centres: Tensor, assignment: Tensor, cosine: Tensor) -> Groups:
    """Without empty clusters; the largest first, of equal ones the one with the earliest vector."""
    members = torch.nonzero(assignment >= 0)[:, 0]
    of = assignment[members].long()
    sizes = torch.bincount(of, minlength=len(centres))
    earliest = torch.full((len(centres),), len(assignment)).scatter_reduce(0, of, members, "amin")
    order = sorted(range(len(centres)), key=lambda old: (-int(sizes[old]), int(earliest[old])))
    order = [old for old in order if sizes[old] > 0]
    number = torch.full((len(centres) + 1,), -1, dtype=torch.int32)  # the last place is that of -1
    number[order] = torch.arange(len(order), dtype=torch.int32)
    return Groups(centres[order].contiguous(), number[assignment.long()], cosine)


def _pieces(source: ValueSource) -> Iterator[tuple[int, Tensor]]:
    """All vectors as they arrive in the residual stream, some rows at a time, with the number of the first."""
    first = 0
    for block in source.value_blocks():
        for piece in block.pieces():
            for rows in piece.split(ROWS):
                yield first, rows
                first += len(rows)


def _usable(norms: Tensor) -> Tensor:
    """Which vectors have a direction."""
    return (norms > 0) & norms.isfinite()
