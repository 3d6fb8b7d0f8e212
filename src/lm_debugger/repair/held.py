"""Texts that a fix should leave alone: by default texts that the model writes itself, in two disjoint sets.

The search looks at the first, for what each unit does to other texts; the second is kept for the report.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass, by_length
from lm_debugger.errors import UnsupportedModelError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import written
from lm_debugger.records.edit import Edit
from lm_debugger.repair.elsewhere import Elsewhere
from lm_debugger.repair.everything import Everything, pulled
from lm_debugger.store import cache
from lm_debugger.work import Work

KIND, VERSION = "held", 1
SEARCHED, REPORTED = 16, 8  # texts
LENGTH = 12  # tokens
SEED = 13

Texts = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Held:
    """Texts and how much the predictions along them change with each unit.

    Args:
        texts: of the report.
        add, scale: for each unit the mean divergence, to second order, of a prediction where 1 is added to its
            coefficient, or its activity is doubled: (units,), nats.
    """

    texts: Texts
    add: Tensor
    scale: Tensor
    _known: dict[tuple[Edit, ...], Elsewhere] = field(default_factory=dict, repr=False)

    def elsewhere(self, model: LoadedModel, interventions: tuple[Edit, ...], work: Work) -> Elsewhere:
        """The texts of the report under edits that are in force. Those asked for last are kept."""
        found = self._known.get(interventions)
        if found is None:
            found = Elsewhere(model, self.texts, interventions, work)
            self._known.clear()
            self._known[interventions] = found
        return found


def own(everything: Everything, work: Work) -> Held:
    """Texts that the model writes itself; kept in the cache."""
    model = everything.model
    entry = cache.read(KIND, model.fingerprint, VERSION)
    shapes = {"texts": (REPORTED, LENGTH), "add": (everything.units,), "scale": (everything.units,)}
    if entry is not None and entry.has(**shapes):
        return Held(tuple(map(tuple, entry.arrays["texts"].tolist())), entry.arrays["add"], entry.arrays["scale"])
    texts = written(model, SEARCHED + REPORTED, LENGTH, SEED, work)
    # Of both, as many begin with the beginning-of-text token: those come first.
    reported = texts[:: (SEARCHED + REPORTED) // REPORTED]
    found = among(everything, [text for text in texts if text not in reported], reported, work)
    keep = {"texts": torch.tensor(found.texts), "add": found.add, "scale": found.scale}
    cache.write(KIND, model.fingerprint, VERSION, keep)
    return found


def among(
    everything: Everything, searched: Sequence[Sequence[int]], reported: Sequence[Sequence[int]], work: Work
) -> Held:
    """The slopes along some texts; flat where no gradients can be taken."""
    work("Measuring what units do to other texts")
    model = everything.model
    add, scale = torch.zeros(everything.units), torch.zeros(everything.units)
    passes = [Pass(tuple(text)) for text in searched]
    generator = torch.Generator().manual_seed(SEED)
    last = model.anatomy.layers[-1].after
    weight = 0.5 / max(sum(len(each.ids) for each in passes), 1)
    for members in by_length(passes):
        group = [passes[index] for index in members]
        residuals = torch.stack([capture[last] for capture in model.engine.observe(group, [last], work=work)])
        try:
            slopes = everything.slopes(group, _sampled(model, residuals, generator), work)
        except UnsupportedModelError:
            break
        add += weight * slopes.add.square().sum(0)
        scale += weight * slopes.scale.square().sum(0)
    return Held(tuple(tuple(text) for text in reported), add, scale)


def _sampled(model: LoadedModel, residuals: Tensor, generator: torch.Generator) -> Tensor:
    """Gradients at last residual streams (texts, positions, hidden): one sample of the Fisher information at each.

    A token y is drawn at every position; the slope of its log-probability is summed over the positions. Drawn
    independently, the products of different positions vanish in the mean.
    """
    flat = residuals.flatten(0, 1)
    found = []
    for part in flat.split(64):  # logits of that many at once
        probabilities = model.readout.logits(part).softmax(-1).cpu()
        drawn = torch.multinomial(probabilities, 1, generator=generator)
        weights = (-probabilities).scatter_add(1, drawn, torch.ones(drawn.shape))
        found.append(pulled(model.readout, part, weights.to(part.device)))
    return torch.cat(found).reshape(residuals.shape)
