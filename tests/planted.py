"""Two models with one difference between them, to be found. They and the prompt at which they differ are tiny."""

import copy

import torch

import lm_debugger
from lm_debugger.debugger.session import Debugger
from tests.tiny import prompt, shared, tokenizer

IDS = prompt(7, 0)


def planted(model_type: str, layer: int) -> tuple[Debugger, Debugger, str]:
    """A model, its twin with one column of a down projection changed, and which: their next tokens differ."""
    one = shared(model_type)
    network = copy.deepcopy(one.model.network)
    group = one.model.blocks[layer].groups[0]
    coefficients = one.trace(IDS).layer(layer, -1).layer.groups[0].coefficients(one.trace(IDS).layer(layer, -1))[0]
    index = int(coefficients.abs().argmax())
    top, *others = one.trace(IDS).view(top_k=4).output
    twin = lm_debugger.load(network, tokenizer(96))
    for other in (*others, top):
        direction = one.model.readout.directions(torch.tensor([other.id]))[0]
        for length in (2.0, 8.0, 40.0):
            change = direction / direction.norm() * length * coefficients[index].sign()
            for matrix, row in twin.model.blocks[layer].groups[0].holders(index):
                with torch.no_grad():
                    matrix[row] += change
            if twin.trace(IDS).view().output[0].id != top.id:
                return one, twin, str(group.name(index))
    raise AssertionError("not planted")
