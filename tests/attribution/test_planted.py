"""Planted truth: parts written into the demo model's weights are found."""

from collections.abc import Iterator

import pytest
import torch

from lm_debugger.debugger.session import Debugger

PROMPT = "My wife is working as a"
TARGET = " volcano"
LENGTH = 0.2  # of the stream there
PLANTED = {(5, 100), (11, 700), (17, 42), (22, 1500), (27, 3)}  # layers and dimensions


@pytest.fixture
def planted(demo: Debugger) -> Iterator[Debugger]:
    """Value vectors that write one token, whatever sign their coefficients have here."""
    network = demo.model.network
    (token,) = demo.model.vocabulary.encode(TARGET, special=False)
    ids = torch.tensor([demo.model.vocabulary.encode(PROMPT)])
    kept = {}
    with torch.no_grad():
        direction = network.lm_head.weight[token] * network.model.norm.weight
        direction = direction / direction.norm()
        for layer, dimension in sorted(PLANTED):  # an earlier one changes the coefficients of later ones
            block, seen = network.model.layers[layer], {}
            hooks = [
                block.mlp.down_proj.register_forward_pre_hook(lambda _, args, seen=seen: seen.update(m=args[0][0, -1])),
                block.register_forward_hook(lambda _, __, output, seen=seen: seen.update(stream=output[0, -1])),
            ]
            network(ids, use_cache=False)
            for hook in hooks:
                hook.remove()
            weight = block.mlp.down_proj.weight
            kept[layer, dimension] = weight[:, dimension].clone()
            weight[:, dimension] = direction * LENGTH * seen["stream"].norm() / seen["m"][dimension]
    yield demo
    with torch.no_grad():
        for (layer, dimension), values in kept.items():
            network.model.layers[layer].mlp.down_proj.weight[:, dimension] = values


def test_planted_value_vectors_are_the_answer_to_why(planted: Debugger) -> None:
    """Recall at 5 is 1, without a false positive; and without them the token's lead is gone."""
    names = {f"L{layer}D{dimension}" for layer, dimension in PLANTED}
    found = planted.why(PROMPT, TARGET, " nurse", top_k=len(names), estimate=False)
    assert {part.part for part in found.parts} == names
    assert all(part.effect > 0 for part in found.parts)
    assert abs(found.unexplained) < 1e-3
    without = planted.why(PROMPT, TARGET, " nurse", -1, [f"{name}=off" for name in names], estimate=False)
    assert found.difference > 0 > without.difference
