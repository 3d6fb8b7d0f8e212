"""Runs the model once and finds its whole anatomy. Proves nothing: that is `verify`'s work."""

from collections import Counter
from collections.abc import Hashable

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from lm_debugger.anatomy.discovery.counts import proposed_heads
from lm_debugger.anatomy.discovery.heads import HeadExperiment
from lm_debugger.anatomy.discovery.layer import LayerExperiment
from lm_debugger.anatomy.discovery.readout import find_readout
from lm_debugger.anatomy.discovery.record import Call, record
from lm_debugger.anatomy.discovery.stack import find_layers
from lm_debugger.anatomy.parts import Anatomy, Group, Heads, LayerAnatomy, Step, Term
from lm_debugger.engine.local import forward_options
from lm_debugger.engine.sites import Site
from lm_debugger.errors import UnsupportedModelError

LENGTH = 24  # tokens of the probing prompt: enough equations for factors by channel


def probing_ids(network: PreTrainedModel, length: int = LENGTH) -> Tensor:
    """Random token ids (1, length), the same in every run; special ids at the vocabulary's start are left out."""
    embeddings = network.get_input_embeddings()
    size = int(getattr(embeddings, "num_embeddings", 0) or network.config.get_text_config().vocab_size)
    first = min(10, size // 2)
    ids = torch.randint(first, size, (1, length), generator=torch.Generator().manual_seed(0))
    return ids.to(network.device)


def discover(network: PreTrainedModel, *, each_layer: bool = False) -> Anatomy:
    """Find the anatomy.

    Args:
        each_layer: experiment on every layer; otherwise on one of each kind (same modules, same shapes).

    Raises:
        UnsupportedModelError: if a part cannot be found.
    """
    ids = probing_ids(network)
    logits: list[Tensor] = []

    def run() -> None:
        with torch.no_grad():
            logits.append(network(input_ids=ids, **forward_options(network, all_logits=True)).logits)

    calls = record(network, run)
    layers = find_layers(calls, ids.shape[1])
    readout = find_readout(network, calls, layers[-1], ids, logits[0])
    known: dict[object, LayerAnatomy] = {}
    counts = proposed_heads(network.config)
    found = []
    for index, layer in enumerate(layers):
        kind = index if each_layer else kind_of(layer.module)
        if kind not in known:
            known[kind] = _found(layer, ids.shape[1], counts)
        found.append(_placed(known[kind], layer.path))
    if not any(layer.groups for layer in found):
        dropped = sorted({path for layer in found for path in layer.dropped})
        why = f" ({', '.join(dropped)} write to the stream in no simple way)" if dropped else ""
        raise UnsupportedModelError(f"No layer has a feed-forward whose output is added to the residual stream{why}.")
    _check_own_weights(network, found)
    found = _own_heads(network, found)
    shape = layers[0].left.shape  # type: ignore[union-attr]  # layers have streams
    return Anatomy(
        hidden_size=shape[-1],
        layers=tuple(found),
        readout=readout,
        batch_first=shape[0] == 1,
        mutates=any(call.mutated for call in calls),
    )


def _found(layer: Call, length: int, counts: tuple[int, ...]) -> LayerAnatomy:
    """One layer's anatomy, with paths below the layer."""
    experiment = LayerExperiment(layer, length)
    anatomy = experiment.find()
    heads, headless = HeadExperiment(experiment, anatomy, counts).find()
    return anatomy.model_copy(update={"heads": heads, "headless": headless})


def _own_heads(network: PreTrainedModel, layers: list[LayerAnatomy]) -> list[LayerAnatomy]:
    """The layers without heads that share their output projection: a name such as L1H2 would mean several."""
    owners = Counter(network.get_submodule(layer.heads.path) for layer in layers if layer.heads)
    shared = {module for module, count in owners.items() if count > 1}
    why = "the output projection is shared with another layer"
    return [
        layer.model_copy(update={"heads": None, "headless": why})
        if layer.heads and network.get_submodule(layer.heads.path) in shared
        else layer
        for layer in layers
    ]


def _check_own_weights(network: PreTrainedModel, layers: list[LayerAnatomy]) -> None:
    """Raise if layers share a feed-forward: a hook on it could not tell for which layer it runs."""
    owner: dict[object, int] = {}
    for index, layer in enumerate(layers):
        for group in layer.groups:
            first = owner.setdefault(network.get_submodule(group.path), index)
            if first != index:
                raise UnsupportedModelError(
                    f"Layers {first} and {index} share one feed-forward ({group.path}): an edit would change both."
                )


def kind_of(layer: nn.Module) -> Hashable:
    """What layers of one kind have in common: the same modules, with parameters of the same shapes."""
    return tuple(
        (
            path,
            type(module).__name__,
            tuple((name, tuple(p.shape)) for name, p in module.named_parameters(recurse=False)),
        )
        for path, module in layer.named_modules()
    )


def _placed(layer: LayerAnatomy, path: str) -> LayerAnatomy:
    """The anatomy with its paths below the layer made paths in the model."""

    def at(inner: str) -> str:
        return f"{path}.{inner}" if inner else path

    def site(old: Site) -> Site:
        return old.model_copy(update={"path": at(old.path)})

    def step(old: Step) -> Step:
        return old.model_copy(update={"path": at(old.path)}) if old.path else old

    def term(old: Term) -> Term:
        return old.model_copy(update={"site": site(old.site)})

    def heads(old: Heads) -> Heads:
        values = [
            read.model_copy(update={"path": at(read.path), "norm": at(read.norm) if read.norm else ""})
            for read in old.values
        ]
        return old.model_copy(
            update={
                "path": at(old.path),
                "route": tuple(map(step, old.route)),
                "arrives": site(old.arrives) if old.arrives is not None else None,
                "post_norm": at(old.post_norm) if old.post_norm else "",
                "rest": tuple(map(term, old.rest)),
                "values": tuple(values),
            }
        )

    return LayerAnatomy(
        path=path,
        before=tuple(map(term, layer.before)),
        total=site(layer.total),
        after=site(layer.after),
        after_norm=at(layer.after_norm) if layer.after_norm else "",
        groups=tuple(
            Group(path=at(g.path), experts=g.experts, width=g.width, route=tuple(map(step, g.route)))
            for g in layer.groups
        ),
        formula=layer.formula,
        dropped=tuple(at(inner) for inner in layer.dropped),
        heads=heads(layer.heads) if layer.heads else None,
        headless=layer.headless,
    )
