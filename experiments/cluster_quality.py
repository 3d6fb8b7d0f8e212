"""Compares two ways to cluster value vectors on the demo model: spherical k-means, which LM-Debugger uses, and
complete-linkage agglomerative clustering, which the original LM-Debugger used.

    python -m experiments.cluster_quality

Both get the same sample of vectors and the same number of clusters. Complete linkage needs the distances of all pairs,
which is why there is a sample: 46,080 vectors would need 8.5 GB in float64 for them alone.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

import lm_debugger
from lm_debugger.search.clusters import kmeans
from lm_debugger.work import UNWATCHED

PAIRS = 20_000  # random pairs that coherence is measured on
TOP = 50  # promoted tokens of a vector


def sample(vectors: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions (vectors, hidden) of a random sample of the demo model's value vectors, and their top tokens."""
    model = lm_debugger.load("demo").model
    everything = torch.cat([piece for block in model.value_blocks() for piece in block.pieces()])
    chosen = torch.randperm(len(everything), generator=torch.Generator().manual_seed(seed))[:vectors].sort().values
    unit = torch.nn.functional.normalize(everything[chosen])
    top = torch.cat([model.readout.project(rows).topk(TOP).indices for rows in unit.split(256)])
    return unit.numpy(), top.numpy()


def by_kmeans(unit: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Labels by what LM-Debugger does."""
    data = torch.from_numpy(unit)
    centres = kmeans.train(data, k, seed, UNWATCHED)
    return (data @ centres.T).argmax(-1).numpy()


def by_linkage(unit: np.ndarray, k: int, _seed: int) -> np.ndarray:
    """Labels by complete linkage on cosine distances."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    return fcluster(linkage(pdist(unit, "cosine"), "complete"), k, "maxclust") - 1


METHODS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
    "spherical k-means": by_kmeans,
    "complete linkage": by_linkage,
}


def measures(unit: np.ndarray, top: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, float]:
    """How good a clustering is."""
    random = np.random.default_rng(seed)
    labels = np.unique(labels, return_inverse=True)[1]
    sizes = np.bincount(labels)
    sums = np.zeros((len(sizes), unit.shape[1]))
    np.add.at(sums, labels, unit)
    lengths = np.linalg.norm(sums, axis=1)
    # Of all pairs within a cluster the sum of cosines is (|sum of directions|² − n) / 2.
    pairs = sizes * (sizes - 1) / 2
    within = (lengths**2 - sizes) / 2
    inside = _pairs_within(labels, sizes, random)
    outside = random.integers(0, len(labels), (PAIRS, 2))
    outside = outside[outside[:, 0] != outside[:, 1]]
    return {
        "clusters": len(sizes),
        "mean cosine to the centre": float(lengths.sum() / len(unit)),
        "mean cosine of pairs within": float(within.sum() / pairs.sum()),
        "the same, each cluster alike": float((within[pairs > 0] / pairs[pairs > 0]).mean()),
        "largest cluster": int(sizes.max()),
        "median size": float(np.median(sizes)),
        "vectors alone": int((sizes == 1).sum()),
        "shared top tokens, of 50, within": _shared(top, inside),
        "the same, random pairs": _shared(top, outside),
    }


def _pairs_within(labels: np.ndarray, sizes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Random pairs of different vectors of one cluster; each vector that is not alone is as likely as another."""
    order = np.argsort(labels, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    able = np.flatnonzero(sizes[labels] > 1)
    first = random.choice(able, PAIRS)
    place = np.empty(len(labels), int)
    place[order] = np.arange(len(labels))
    mine = labels[first]
    step = random.integers(1, sizes[mine])
    second = order[starts[mine] + (place[first] - starts[mine] + step) % sizes[mine]]
    return np.stack([first, second], 1)


def _shared(top: np.ndarray, pairs: np.ndarray) -> float:
    return float(np.mean([len(np.intersect1d(top[a], top[b], assume_unique=True)) for a, b in pairs]))


def run(method: str, folder: Path, k: int, seed: int) -> None:
    """Measure one method and print what was found."""
    unit, top = np.load(folder / "unit.npy"), np.load(folder / "top.npy")
    METHODS[method](unit[:64], 4, seed)  # libraries are loaded before the clock runs
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    labels = METHODS[method](unit, k, seed)
    seconds = time.perf_counter() - start
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for name, value in (measures(unit, top, labels, seed) | {"seconds": seconds, "more memory, MB": memory}).items():
        print(f"{name}\t{value:.4g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=int, default=4000)
    parser.add_argument("--k", type=int, help="by default as many vectors a cluster as the whole model gets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=("sample", *METHODS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    k = asked.k or kmeans.default_k(asked.vectors)
    if asked.part == "sample":
        for name, array in zip(("unit", "top"), sample(asked.vectors, asked.seed), strict=True):
            np.save(asked.folder / name, array)
        return
    if asked.part:
        run(asked.part, asked.folder, k, asked.seed)
        return
    columns = {}
    # Each part is a process that starts small: a process's peak memory counts that of the one it was forked from.
    with TemporaryDirectory() as folder:
        for part in ("sample", *METHODS):
            command = [sys.executable, "-m", "experiments.cluster_quality", "--part", part, "--folder", folder]
            command += ["--vectors", str(asked.vectors), "--k", str(k), "--seed", str(asked.seed)]
            found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
            columns[part] = dict(line.split("\t") for line in found.stdout.splitlines())
    del columns["sample"]
    print(f"| {asked.vectors:,} vectors, seed {asked.seed} | {' | '.join(columns)} |")
    print(f"|---|{'--:|' * len(columns)}")
    for name in next(iter(columns.values())):
        print(f"| {name} | {' | '.join(column[name] for column in columns.values())} |")


if __name__ == "__main__":
    main()
