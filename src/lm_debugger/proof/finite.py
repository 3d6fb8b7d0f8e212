"""Whether weights are numbers at all: nothing can be proved of a model whose weights are not."""

import torch
from torch import nn

from lm_debugger.errors import NumericalError


@torch.no_grad()
def check_finite(network: nn.Module) -> None:
    """Raise NumericalError if a parameter holds NaN or infinity, naming the first (weights on `meta` are skipped)."""
    for name, parameter in network.named_parameters():
        if parameter.is_meta or not parameter.is_floating_point() or parameter.numel() == 0:
            continue
        values = parameter if parameter.element_size() > 1 else parameter.float()  # float8 can only be converted
        # NaN and infinity always reach a sum. A sum may also overflow, so it only clears, it does not convict.
        if not torch.isfinite(values.sum()) and not torch.isfinite(values).all():
            raise NumericalError(f"The weight {name} holds NaN or infinity.", "Fetch or train the model again.")
