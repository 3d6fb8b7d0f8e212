"""`lm-debugger clusters`: value vectors grouped by direction; the list, or one cluster."""

from enum import StrEnum
from typing import Annotated

import typer

from lm_debugger.cli import options
from lm_debugger.cli.loading import load_weights
from lm_debugger.cli.terminal import print_answer, print_record, progress_bar


class Order(StrEnum):
    """What the list is ordered by."""

    SIZE = "size"
    COHESION = "cohesion"
    LAYER = "layer"


def clusters(
    cluster: Annotated[
        int | None, typer.Argument(metavar="ID", min=0, help="Show one cluster; without it, the list.")
    ] = None,
    model: options.Model = options.DEMO,
    k: Annotated[
        int | None, typer.Option("--k", metavar="K", help="How many clusters to make; without it, by the model's size.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the clustering.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Make them again even if they are in the cache.")] = False,
    sort: Annotated[Order, typer.Option("--sort", help="Largest, tightest, or lowest layer first.")] = Order.SIZE,
    find: Annotated[
        str | None, typer.Option("--find", metavar="TEXT", help="Only clusters whose name or tokens contain it.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many clusters to list.")] = 30,
    members: Annotated[int, typer.Option("--members", min=0, help="How many members to show of one cluster.")] = 20,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
    from_disk: options.FromDisk = False,
    json: options.Json = False,
) -> None:
    """Group all value vectors by direction and list the groups, or show one.

    The clusters are made on first use and kept for the model; another --k or --seed replaces them.
    """
    with progress_bar() as progress:
        weights = load_weights(
            model, from_disk=from_disk, device=device, dtype=dtype, trust_remote_code=trust_remote_code,
            progress=progress,
        )  # fmt: skip
        made = weights.clusters(k, seed, force=force, progress=progress)
        view = None if cluster is None else weights.cluster(cluster, members=members)
    listed = made.listing(find or "", sort.value, limit)
    if json:
        print_record(listed if view is None else view)
        return

    from lm_debugger.show import clusters as documents

    if view is None:
        print_answer(documents.clustering(listed, len(made.clusters)))
    else:
        print_answer(documents.cluster(view, made))
