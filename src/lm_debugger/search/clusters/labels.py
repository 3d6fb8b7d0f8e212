"""Clusters in words: the tokens that a centre promotes, a short name made of them; and the place on the map."""

from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.lenses.source import ValueSource
from lm_debugger.work import Work

NUMBERS = 1 << 23  # logits computed at once: 32 MB
WORDS = 3  # of a name
PRIOR = 10
CANDIDATES = 100  # a name is made of the hundredth part of the vocabulary that a centre promotes most
FEWEST_DRAWN = 4  # fewer stand side by side


class Tokens(NamedTuple):
    """What the centres say, as token ids, (k, count), int32.

    Args:
        promoted: the tokens that a centre promotes, strongest first.
        telling: of the tokens that it promotes, those that set it most apart from the other centres, best first.
    """

    promoted: Tensor
    telling: Tensor


@torch.no_grad()
def top_tokens(source: ValueSource, centres: Tensor, count: int, work: Work) -> Tokens:
    """The tokens of all centres (k, hidden).

    A few tokens, rare ones mostly, are promoted by a great part of all centres: what tells a centre apart is a logit
    that is large against the same token's logits in the other centres, in standard deviations.
    """
    vocabulary = source.readout.vocabulary
    rows = max(1, NUMBERS // vocabulary)
    count = min(count, vocabulary)
    candidates = min(max(count, vocabulary // CANDIDATES), vocabulary)
    batches = [centres[first : first + rows] for first in range(0, len(centres), rows)]

    def logits(batch: int, turn: int) -> Tensor:
        work("Naming clusters", turn * len(batches) + batch, 2 * len(batches))
        return project(source, batches[batch])

    sums = squares = torch.zeros(1, dtype=torch.float64)
    for batch in range(len(batches)):
        found = logits(batch, 0).double()
        sums, squares = sums.to(found.device) + found.sum(0), squares.to(found.device) + found.square().sum(0)
    mean = sums / len(centres)
    variance = (squares / len(centres) - mean.square()).clamp_min(0)
    # Few centres say little of a token's variance: the mean variance counts as PRIOR centres more.
    variance = (len(centres) * variance + PRIOR * variance.mean()) / (len(centres) + PRIOR)
    mean, deviation = mean.float(), variance.sqrt().clamp_min(1e-12).float()

    promoted, telling = [], []
    for batch in range(len(batches)):
        found = logits(batch, 1)
        top = found.topk(candidates).indices
        apart = ((found - mean) / deviation).gather(-1, top).topk(count).indices
        promoted.append(top[:, :count].int().cpu())
        telling.append(top.gather(-1, apart).int().cpu())
    return Tokens(torch.cat(promoted), torch.cat(telling))


def project(source: ValueSource, centres: Tensor) -> Tensor:
    """Centres (k, hidden), which live on the CPU, in vocabulary space: (k, vocabulary)."""
    return source.readout.project(centres.to(source.readout.directions(slice(1)).device))


def automatic_name(texts: list[str]) -> str:
    """A name such as `teacher · school · pupil` from tokens, the best first: words where there are any."""
    stripped = [text.strip() for text in texts if text.strip()] or texts
    words = _distinct([text for text in stripped if len(text) >= 3 and text.isalpha()])
    return " · ".join(words if len(words) > 1 else _distinct(stripped))


def _distinct(texts: list[str]) -> list[str]:
    """The first few that are not forms of one another: `Teach`, `teachers` and ` teacher` say the same."""
    found: list[str] = []
    for text in texts:
        folded = text.casefold()
        if not any(folded.startswith(other) or other.startswith(folded) for other in map(str.casefold, found)):
            found.append(text)
        if len(found) == WORDS:
            break
    return found


def places(centres: Tensor, seed: int, work: Work) -> Tensor:
    """A map: near places for centres that point in similar directions (t-SNE, van der Maaten 2008): (k, 2), 0 to 1."""
    work("Drawing the map")
    if len(centres) < FEWEST_DRAWN:
        return torch.tensor([[(place + 0.5) / len(centres), 0.5] for place in range(len(centres))])
    from sklearn.manifold import TSNE

    drawn = TSNE(
        metric="cosine",
        init="pca",
        perplexity=min(30.0, (len(centres) - 1) / 3),
        max_iter=500,
        random_state=seed,
    ).fit_transform(centres.numpy())
    work.go_on()
    place = torch.from_numpy(drawn).float()
    low, high = place.amin(0), place.amax(0)
    # One scale for both directions: distances on a map must mean the same everywhere.
    return ((place - (low + high) / 2) / (high - low).max().clamp_min(1e-12) + 0.5).clamp(0, 1)
