"""Reads value vectors out of modules: linear maps found by what they compute, and packed experts."""

import torch
from torch import Tensor, nn

from lm_debugger.errors import UnsupportedModelError


def is_experts(module: nn.Module) -> bool:
    """Whether the module packs experts behind transformers' experts interface."""
    down = getattr(module, "down_proj", None)
    return (
        hasattr(module, "has_gate") and hasattr(module, "_apply_gate") and isinstance(down, Tensor) and down.dim() == 3
    )


def _oriented(weight: Tensor, x: Tensor, y: Tensor, bias: Tensor | None) -> Tensor | None:
    """The weight as (inputs, outputs) if y = x·W + b in either orientation, else None."""
    width, height = x.shape[-1], y.shape[-1]
    target = y.float() if bias is None else y.float() - bias.float()
    for matrix in (weight.T, weight):
        if tuple(matrix.shape) == (width, height):
            error = (x.float() @ matrix.float() - target).norm()
            # bfloat16 products differ by 2^-8; a wrong orientation by the whole length.
            if error <= 0.03 * target.norm() + 1e-12:
                return matrix
    return None


def _bias(module: nn.Module) -> Tensor | None:
    bias = getattr(module, "bias", None)
    return bias if isinstance(bias, Tensor) and bias.dim() == 1 else None


def plain_matrix(module: nn.Module, x: Tensor, y: Tensor) -> Tensor | None:
    """The module's own weight as (inputs, outputs), if y = x·W + b. Shapes: x (N, inputs), y (N, outputs)."""
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.dim() != 2 or not weight.is_floating_point():
        return None
    bias = _bias(module)
    if bias is not None and bias.shape[0] != y.shape[-1]:
        return None
    return _oriented(weight, x.to(weight.device), y.to(weight.device), bias)


def is_affine(module: nn.Module, x: Tensor) -> bool:
    """Whether the module computes x·W + b, tried on its input x (…, inputs): covers wrapped and quantised linears."""
    if all(parameter.dim() < 2 for parameter in module.parameters()):
        return False
    u, v = x, x.flip(-2) * 0.5 if x.dim() > 1 else x * 0.5
    try:
        zero, at_u, at_v, both = (module(value) for value in (torch.zeros_like(x), u, v, u + v))
    except Exception:  # noqa: BLE001  # whatever the module raises on a plain tensor, it is no linear map of it
        return False
    if not isinstance(both, Tensor) or both.shape[:-1] != x.shape[:-1]:
        return False
    error = (both - at_u - at_v + zero).float().norm()
    return bool(error <= 1e-4 * both.float().norm())


class Linear:
    """A module that computes x·W + b, as a matrix of value vectors.

    Args:
        module: the down projection.
        width: its number of inputs.
        height: its number of outputs.
        like: has the device and dtype of what it takes, for a module without parameters.
    """

    def __init__(self, module: nn.Module, width: int, height: int, like: Tensor | None = None) -> None:
        self.module = module
        self.width = width
        self.height = height
        self._like = like
        self._matrix: Tensor | None = None

    @property
    def matrix(self) -> Tensor:
        """The value vectors (inputs, hidden), a view of the module's weight where it has a plain one."""
        if self._matrix is None:
            self.find_plain()
        if self._matrix is None:
            self._matrix = self._measured()
        return self._matrix

    def find_plain(self) -> None:
        """Look whether the module has a weight of its own. It is called for that, so no hooks may be on it."""
        weight = getattr(self.module, "weight", None)
        if type(self.module) is nn.Linear and type(weight) is nn.Parameter and "forward" not in vars(self.module):
            # Known without a call; a quantised weight is a tensor of another class.
            self._matrix = None if weight.device.type == "meta" else weight.detach().T
        elif isinstance(weight, Tensor) and weight.dim() == 2 and weight.device.type != "meta":
            probe = torch.randn(4, self.width, generator=torch.Generator().manual_seed(0))
            probe = probe.to(weight.device, self._reference().dtype)
            with torch.no_grad():
                matrix = plain_matrix(self.module, probe, self.module(probe))
            self._matrix = None if matrix is None else matrix.detach()

    def holders(self) -> list[Tensor]:
        """The tensors that hold the matrix (inputs, outputs or rank), as views that can be written to.

        A wrapped linear (an adapter) has several: all inner matrices that take its input.
        """
        own = getattr(self.module, "weight", None)
        if isinstance(own, Tensor) and own.untyped_storage().data_ptr() == self.matrix.untyped_storage().data_ptr():
            return [self.matrix]
        return [p.data.T for p in self.module.parameters() if p.dim() == 2 and p.shape[1] == self.width]

    def _reference(self) -> Tensor:
        """A tensor that tells device and dtype."""
        reference = next((p for p in self.module.parameters() if p.is_floating_point()), self._like)
        if reference is None or reference.device.type == "meta":
            raise UnsupportedModelError(
                "The weights of a linear map are not in memory (offloaded).",
                "Load the model on devices that hold it whole.",
            )
        return reference

    def _measured(self) -> Tensor:
        """The matrix of a wrapped or quantised linear: what the module gives for each unit vector."""
        reference = self._reference()
        eye = torch.eye(self.width, device=reference.device, dtype=reference.dtype)
        with torch.no_grad():
            return torch.cat([self.module(part) for part in eye.split(1024)]) - self.bias

    @property
    def bias(self) -> Tensor:
        """What the module adds to x·W: its output for x = 0, shape (hidden,)."""
        bias = _bias(self.module)
        if type(self.module) is nn.Linear:  # known without a call; a subclass may compute something else
            return self.module.weight.new_zeros(self.height) if bias is None else bias.detach()
        reference = self._reference()
        zero = torch.zeros(1, self.width, device=reference.device, dtype=reference.dtype)
        with torch.no_grad():
            result: Tensor = self.module(zero)[0]
        return result


class Experts:
    """All experts of a layer, packed: `down_proj` (experts, hidden, width), or transposed.

    Args:
        module: a module for which `is_experts` holds.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.down: Tensor = module.down_proj.detach()  # type: ignore[operator]  # is_experts
        self.transposed = bool(module.is_transposed)
        self.count = self.down.shape[0]
        self.width = self.down.shape[1] if self.transposed else self.down.shape[2]

    def matrix(self, expert: int) -> Tensor:
        """One expert's value vectors (width, hidden), a view of the weights."""
        return self.down[expert] if self.transposed else self.down[expert].T

    def bias(self, expert: int) -> Tensor | None:
        """One expert's output bias (hidden,), or None."""
        if not self.module.has_bias:
            return None
        bias: Tensor = self.module.down_proj_bias[expert].detach()  # type: ignore[index]  # has_bias
        return bias
