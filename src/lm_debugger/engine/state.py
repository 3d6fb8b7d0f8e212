"""What a run depends on beside its tokens and edits: the weights as they are now, and the user's own hooks.

Cheap enough for every call: no number is read. A tensor is the same while it is the same object over the same memory
with the same version, which PyTorch counts up with each change in place. Not seen: changes through `.data` or NumPy,
which PyTorch does not count.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from lm_debugger.engine.hooks import is_ours

Key = tuple[object, ...]


def modules(network: nn.Module) -> Iterator[nn.Module]:
    """A network's modules, each once: what `network.modules()` gives, several times as fast, as it is asked often."""
    seen = {network}
    todo = [network]
    while todo:
        module = todo.pop()
        yield module
        for child in module._modules.values():
            if child is not None and child not in seen:
                seen.add(child)
                todo.append(child)


class WeightState:
    """The state of a network's weights. Two are equal if nothing has changed in between.

    The tensors are kept alive, so that their addresses cannot be given to others.
    """

    def __init__(self, network: nn.Module) -> None:
        tensors: list[Tensor] = []
        key: list[object] = []
        for module in modules(network):
            key.append(id(module))
            for held in (*module._parameters.values(), *module._buffers.values()):
                if held is not None:
                    tensors.append(held)
                    key += (id(held), held.data_ptr(), 0 if held.is_inference() else held._version)
        self._key = tuple(key)
        self._tensors = [(tensor, tensor.untyped_storage()) for tensor in tensors if tensor.device.type != "meta"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WeightState) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def foreign_hooks(network: nn.Module) -> Key:
    """Identifies the hooks that others have on the network: PyTorch never gives a number twice.

    Ours come and go with the forwards that other threads run meanwhile.
    """
    return tuple(
        number
        for module in modules(network)
        if module._forward_hooks or module._forward_pre_hooks
        for number, function in (*list(module._forward_hooks.items()), *list(module._forward_pre_hooks.items()))
        if not is_ours(function)
    )
