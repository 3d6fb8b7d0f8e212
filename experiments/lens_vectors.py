"""How many value vectors can be read, layer by layer, through each lens: `python -m experiments.lens_vectors [MODEL]`.

A vector is read by the ten tokens that it promotes most, or turned round suppresses most. It counts as readable if
these belong together more than chance has them do. Two measures, which share nothing:

- forms: how many of the 45 pairs of tokens begin with the same four letters, whatever their case and leading space
  (` teacher`, `Teachers`). It knows nothing of the model.
- likeness: the mean cosine of the pairs' rows of the unembedding, less the mean row.

Chance is random mixtures of the same layer's vectors, through the same lens: they have the layer's mean and covariance,
so what all its vectors have in common does not count, nor what a lens does to whatever passes it. Readable is what
exceeds all but 1 % of them; of vectors that mean nothing, 1 % would.
"""

import argparse

import torch
from torch import Tensor

import lm_debugger
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel

TOP = 10
LETTERS = 4
QUANTILE = 0.99
ROWS = 128  # vectors projected at once


class Tokens:
    """What tells whether tokens belong together, for a model's vocabulary."""

    def __init__(self, model: LoadedModel) -> None:
        self._rows = model.readout.directions(slice(None)).cpu()
        self._rows = torch.nn.functional.normalize(self._rows - self._rows.mean(0))
        stems: dict[str, int] = {}
        self._stems = torch.empty(model.readout.vocabulary, dtype=torch.long)
        for token in range(model.readout.vocabulary):
            text = model.vocabulary.text(token).strip().casefold()
            # A token without four letters is like none, itself apart.
            key = text[:LETTERS] if len(text) >= LETTERS and text[:LETTERS].isalpha() else f"\0{token}"
            self._stems[token] = stems.setdefault(key, len(stems))

    def forms(self, top: Tensor) -> Tensor:
        """Pairs of one stem among tokens (vectors, TOP): (vectors,)."""
        stems = self._stems[top]
        same = stems[:, :, None] == stems[:, None, :]
        return (same.sum((1, 2)) - TOP).float() / 2

    def likeness(self, top: Tensor) -> Tensor:
        """The mean cosine of the pairs of tokens (vectors, TOP): (vectors,)."""
        total = self._rows[top].sum(1).pow(2).sum(-1)
        return (total - TOP) / (TOP * (TOP - 1))


def coherence(model: LoadedModel, reading: Reading, tokens: Tokens, layer: int, vectors: Tensor) -> Tensor:
    """Forms and likeness of vectors of a layer, of the better end each: (2, vectors)."""
    found = []
    for rows in vectors.split(ROWS):
        logits = reading.project([(layer, rows.to(model.network.device))])
        ends = [logits.topk(TOP, largest=largest).indices.cpu() for largest in (True, False)]
        found.append(
            torch.stack(
                [torch.stack([measure(top) for top in ends]).amax(0) for measure in (tokens.forms, tokens.likeness)]
            )
        )
    return torch.cat(found, 1)


def readable(own: Tensor, chance: Tensor) -> float:
    """The share of vectors above all but 1 % of chance; ties with the bound do not count."""
    return float((own > chance.quantile(QUANTILE)).float().mean())


@torch.no_grad()
def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("--vectors", type=int, default=300, help="of each layer")
    parser.add_argument("--chance", type=int, default=600, help="random mixtures for each layer")
    parser.add_argument("--every", type=int, default=1, help="of the layers")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    debugger = lm_debugger.load(asked.model)
    model = debugger.model
    names = ["logit", *(about.name for about in debugger.lenses().lenses)]
    readings = [Reading(model, debugger.lens(name)) for name in names]
    tokens = Tokens(model)
    generator = torch.Generator().manual_seed(asked.seed)
    print(f"{asked.vectors} vectors and {asked.chance} mixtures a layer. Readable share by forms · by likeness")
    print(f"| layer | {' | '.join(names)} |")
    print(f"| --- |{' --- |' * len(names)}")
    sums = torch.zeros(2, len(names), 2)
    layers = range(0, model.layers, asked.every)
    for layer in layers:
        every = torch.cat([piece.cpu() for block in model.value_blocks([layer]) for piece in block.pieces()])
        if not len(every):
            continue
        chosen = every[torch.randperm(len(every), generator=generator)[: asked.vectors]]
        weights = torch.randn(asked.chance, len(every), generator=generator) / len(every) ** 0.5
        mixtures = weights @ (every - every.mean(0)) + every.mean(0)
        cells = []
        for number, reading in enumerate(readings):
            own, chance = (coherence(model, reading, tokens, layer, each) for each in (chosen, mixtures))
            shares = torch.tensor([readable(*pair) for pair in zip(own, chance, strict=True)])
            sums[int(layer >= model.layers // 2), number] += shares
            cells.append(" · ".join(f"{float(share):.0%}" for share in shares))
        print(f"| {layer} | {' | '.join(cells)} |", flush=True)
    halves = [sum(layer < model.layers // 2 for layer in layers), sum(layer >= model.layers // 2 for layer in layers)]
    for half, title in enumerate(("first half", "last half")):
        means = sums[half] / max(1, halves[half])
        print(f"| {title} | {' | '.join(' · '.join(f'{float(s):.0%}' for s in row) for row in means)} |")


if __name__ == "__main__":
    main()
