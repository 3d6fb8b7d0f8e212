"""Loads only the first layers of a model: as many as there are kinds of layers, with the real weights around them.

The class of the whole model is built without weights to see its layers. A subclass of it drops all but the first ones
before transformers looks for their weights, and so reads nothing of the others. The configuration stays the whole
model's, because some models compute factors from the number of layers.
"""

from collections.abc import Hashable
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from lm_debugger.anatomy.discovery.discover import kind_of
from lm_debugger.errors import UnsupportedModelError

LEAST = 2  # layers: what one layer alone shows may be an accident of its number


class Prefix:
    """Chooses the part of a model that is loaded (`load.Part`), and remembers what it was chosen from.

    Args:
        trust_remote_code: whether Python code that comes with the model may run.

    Attributes:
        stack: path of the module list that holds the layers.
        stands: for each layer of the whole model, the first layer of its kind.
        loaded: number of layers that are loaded.
    """

    def __init__(self, *, trust_remote_code: bool) -> None:
        self._trust_remote_code = trust_remote_code
        self.stack = ""
        self.stands: list[int] = []
        self.loaded = 0

    def __call__(self, config: PreTrainedConfig) -> type[PreTrainedModel]:
        """The class to load."""
        quantised: Any = getattr(config, "quantization_config", None)
        if quantised is not None:
            method = quantised.get("quant_method", "") if isinstance(quantised, dict) else type(quantised).__name__
            raise UnsupportedModelError(
                f"The weights are stored quantised ({method}): they cannot be searched where they lie.",
                "Give a folder with the plain weights.",
            )
        with torch.device("meta"):
            whole = AutoModelForCausalLM.from_config(config, trust_remote_code=self._trust_remote_code)
        self.stack = _stack(whole)
        layers = whole.get_submodule(self.stack)
        if not isinstance(layers, nn.ModuleList):
            raise UnsupportedModelError(
                f"The layers ({self.stack}) are no module list: the first cannot be loaded alone."
            )
        first: dict[Hashable, int] = {}
        self.stands = [first.setdefault(kind_of(layer), index) for index, layer in enumerate(layers)]
        self.loaded = min(max(LEAST, max(first.values()) + 1), len(layers))
        return _shortened(type(whole), self.stack, self.loaded)


def _stack(network: nn.Module) -> str:
    """Path of the module list with the most parameters (as `examine.stack`, but nothing runs here)."""
    lists: dict[str, int] = {
        path: sum(parameter.numel() for parameter in module.parameters())
        for path, module in network.named_modules()
        if isinstance(module, nn.ModuleList)
    }
    if not lists:
        raise UnsupportedModelError("No stack of layers was found: there is no module list.")
    return max(lists, key=lambda path: lists[path])


def _shortened(kind: type[PreTrainedModel], stack: str, count: int) -> type[PreTrainedModel]:
    """The class without the layers from `count` on."""

    def post_init(self: Any) -> None:
        del self.get_submodule(stack)[count:]
        kind.post_init(self)

    ignored = [*(kind._keys_to_ignore_on_load_unexpected or ()), r"\.\d+\."]  # the others' weights: no warning
    content = {
        "post_init": post_init,
        "_keys_to_ignore_on_load_unexpected": ignored,
        "__module__": kind.__module__,
        "__doc__": kind.__doc__,
    }
    return type(kind.__name__, (kind,), content)
