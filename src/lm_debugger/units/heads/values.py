"""The way of the values as arithmetic: from the residual stream to what heads give to the output projection."""

from collections.abc import Callable

from torch import Tensor, nn

from lm_debugger.anatomy.linear import Linear
from lm_debugger.anatomy.norms import NormForm, probe
from lm_debugger.anatomy.parts import Heads, Read


class ValueWay:
    """The norms and linear maps that the values of a layer's heads come through. Biases are left out.

    Args:
        module: gives the modules by path.
        heads: the anatomy's entry; its `values` are not empty.
    """

    def __init__(self, module: Callable[[str], nn.Module], heads: Heads) -> None:
        self._heads = heads
        widths = [*(read.inputs for read in heads.values[1:]), heads.width]
        self._steps = [_Step(module, read, width) for read, width in zip(heads.values, widths, strict=True)]

    def of(self, head: int, stream: Tensor) -> Tensor:
        """What a head takes from streams (N, hidden), with each norm at the scale it has for them: (N, width)."""
        for step in self._steps:
            stream = step.through(stream, head)
        return stream


class _Step:
    def __init__(self, module: Callable[[str], nn.Module], read: Read, width: int) -> None:
        self._read = read
        self._width = width
        self._norm: NormForm | None = probe(module(read.norm), read.inputs) if read.norm else None
        self._linear = Linear(module(read.path), read.inputs, 0)

    def through(self, stream: Tensor, head: int) -> Tensor:
        if self._norm is not None:
            stream = self._norm.plain(stream)
        start = self._read.starts[head if len(self._read.starts) > 1 else 0]
        matrix = self._linear.matrix[:, start : start + self._width]
        return stream.float() @ matrix.float() * self._read.factor
