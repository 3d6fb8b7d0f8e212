"""Clusters in words: the tokens that a centre promotes, a short name made of them, and the place on the map."""

import threading

import torch
from torch import Tensor

from lm_debugger.model.blocks import ValueSource
from lm_debugger.progress import Progress, stop_if_cancelled

NUMBERS = 1 << 25  # logits computed at once: 128 MB
WORDS = 3  # of a name
FEWEST_DRAWN = 4  # fewer stand side by side


@torch.no_grad()
def top_tokens(
    source: ValueSource, centres: Tensor, count: int, progress: Progress, cancel: threading.Event | None
) -> Tensor:
    """Ids of the tokens that each centre promotes, strongest first: (k, count), int32."""
    count = min(count, source.readout.vocabulary)
    rows = max(1, NUMBERS // source.readout.vocabulary)
    found = []
    for first in range(0, len(centres), rows):
        stop_if_cancelled(cancel)
        progress("Naming clusters", first, len(centres))
        found.append(project(source, centres[first : first + rows]).topk(count).indices.int().cpu())
    progress("Naming clusters", len(centres), len(centres))
    return torch.cat(found)


def project(source: ValueSource, centres: Tensor) -> Tensor:
    """Centres (k, hidden), which live on the CPU, in vocabulary space: (k, vocabulary)."""
    return source.readout.project(centres.to(source.readout.directions(slice(1)).device))


def automatic_name(texts: list[str]) -> str:
    """A name such as `teacher · school · pupil` from tokens, the strongest first: words where there are any."""
    stripped = [text.strip() or text for text in texts]
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


def places(centres: Tensor, seed: int, progress: Progress, cancel: threading.Event | None) -> Tensor:
    """A map: near places for centres that point in similar directions (t-SNE, van der Maaten 2008): (k, 2), 0 to 1."""
    stop_if_cancelled(cancel)
    progress("Drawing the map", 0, 0)
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
    stop_if_cancelled(cancel)
    place = torch.from_numpy(drawn).float()
    low, high = place.amin(0), place.amax(0)
    # One scale for both directions: distances on a map must mean the same everywhere.
    return ((place - (low + high) / 2) / (high - low).max().clamp_min(1e-12) + 0.5).clamp(0, 1)
