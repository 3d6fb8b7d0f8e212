"""The engine of a network whose anatomy is known."""

from collections.abc import Sequence

from transformers import PreTrainedModel

from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.engine.local import LocalEngine
from lm_debugger.units.layer import BoundLayer


def local_engine(network: PreTrainedModel, anatomy: Anatomy, layers: Sequence[BoundLayer]) -> LocalEngine:
    """The engine that runs the network in this process."""
    always = [site for layer in layers for group in layer.units for site in group.always]
    return LocalEngine(network, batch_first=anatomy.batch_first, mutates=anatomy.mutates, always=always)
