"""The Jacobian lens by plain autograd on a tiny model, with hooks of its own: no engine, no batches, no tricks."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lm_debugger.debugger.session import Debugger
from lm_debugger.engine.sites import Side

SKIPPED = 16


def streams(debugger: Debugger, ids: Sequence[int]) -> list[Tensor]:
    """The stream after each layer, (positions, hidden), in one autograd graph."""
    network, anatomy = debugger.model.network, debugger.model.anatomy
    found: dict[int, Tensor] = {}
    handles = []
    for index, layer in enumerate(anatomy.layers):
        assert layer.after.side == Side.OUTPUT
        assert layer.after.occurrence == 0

        def keep(_: object, __: object, output: Any, index: int = index) -> Any:
            whole = isinstance(output, Tensor)
            place = 0 if whole else next(place for place, each in enumerate(output) if isinstance(each, Tensor))
            found[index] = output if whole else output[place]
            copy = found[index].clone()  # some networks work in place
            return copy if whole else (*output[:place], copy, *output[place + 1 :])

        handles.append(network.get_submodule(layer.after.path).register_forward_hook(keep))
    try:
        with torch.enable_grad():
            network(input_ids=torch.tensor([list(ids)]), use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    return [found[index] for index in range(len(anatomy.layers))]


def jacobians(debugger: Debugger, ids: Sequence[int]) -> list[Tensor]:
    """For each layer but the last, (hidden, hidden): mean over sources of the derivative summed over targets."""
    *sources, last = streams(debugger, ids)
    flat = last.reshape(-1, last.shape[-1])
    valid = range(SKIPPED, len(ids) - 1)
    rows: list[list[Tensor]] = [[] for _ in sources]
    for channel in range(flat.shape[-1]):
        total = flat[list(valid), channel].sum()
        gradients = torch.autograd.grad(total, sources, retain_graph=True)
        for index, gradient in enumerate(gradients):
            rows[index].append(gradient.reshape(flat.shape)[list(valid)].mean(0))
    return [torch.stack(each) for each in rows]
