"""Directions to be kept: of words, of two sets of prompts, of a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass
from lm_debugger.errors import EditError, OptionError
from lm_debugger.lenses.book import Named
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.direction import DirectionSummary, Term, check_direction_name
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.steering import files
from lm_debugger.steering.directions import NOTHING, Directions
from lm_debugger.work import Work

Made = tuple[DirectionSummary, Mapping[int, Tensor]]
SHOWN = 60  # characters of a prompt

_CURE = "Make it of words, of prompts that it starts from and goes to, or of a file."


def of_file(model: LoadedModel, name: str, path: Path, layer: int | None, *, also: bool) -> Made:
    """See `Debugger.keep_direction`; `also` is whether something else was given."""
    _one(name, also=also)
    layers = _layers(model, layer)
    found = files.read(path, model.anatomy.hidden_size, model.layers, layer)
    vectors = {at: found[at] for at in layers if at in found}
    if not vectors:
        raise OptionError(f"{path} has no vector for layer {layer}.", "Leave the layer out, or name another.")
    return _summary(model, name, f"the file {path.name}", vectors), vectors


def of_words(
    directions: Directions,
    model: LoadedModel,
    name: str,
    words: str | Sequence[str],
    minus: str | Sequence[str],
    layer: int | None,
    lens: Named | None,
    *,
    also: bool,
) -> Made:
    """See `Debugger.keep_direction`."""
    _one(name, also=also)
    terms = tuple(Term(sign, word) for sign, each in ((1, words), (-1, minus)) for word in _several(each))
    vectors = directions.of_terms(terms, lens, _layers(model, layer))
    made = " ".join(f"{'-' if term.sign < 0 else '+'} {term}" for term in terms).removeprefix("+ ")
    return _summary(model, name, made, vectors), vectors


@torch.no_grad()
def of_prompts(
    model: LoadedModel,
    name: str,
    start: Prompt | Sequence[Prompt],
    to: Prompt | Sequence[Prompt],
    layer: int | None,
    work: Work,
) -> Made:
    """See `Debugger.keep_direction`."""
    _one(name, also=False)
    sets = [_prompts(each) for each in (start, to)]
    if not all(sets):
        raise OptionError(f"The direction {name!r} is made of nothing.", _CURE)
    layers = _layers(model, layer)
    sites = [model.anatomy.layers[at].after for at in layers]
    means = []
    for prompts in sets:
        texts = [tuple(model.vocabulary.encode(prompt)) for prompt in prompts]
        for text in texts:
            model.check_length(len(text))
        total: list[Tensor] = [torch.zeros(())] * len(sites)
        for number, text in enumerate(texts):
            work("Reading prompts", number, len(texts))
            capture = model.engine.observe([Pass(text)], list(dict.fromkeys(sites)), work=work)[0]
            total = [sum_ + capture[site][-1].float().cpu() for sum_, site in zip(total, sites, strict=True)]
        means.append([each / len(texts) for each in total])
    vectors = {at: there - here for at, here, there in zip(layers, *means, strict=True)}
    if not any(float(vector.norm()) > NOTHING for vector in vectors.values()):
        raise EditError(f"The prompts of {name!r} do not differ at their last tokens.", "Give others.")
    made = " to ".join(_shown(model, prompts) for prompts in sets)
    return _summary(model, name, f"from {made}", vectors), vectors


def _one(name: str, *, also: bool) -> None:
    check_direction_name(name)
    if also:
        raise OptionError(f"The direction {name!r} is made of more than one thing.", _CURE)


def _layers(model: LoadedModel, layer: int | None) -> list[int]:
    if layer is None:
        return list(range(model.layers))
    if not 0 <= layer < model.layers:
        raise OptionError(f"The model has no layer {layer}.", f"Use layers 0 to {model.layers - 1}.")
    return [layer]


def _several(words: str | Sequence[str]) -> Sequence[str]:
    return [words] if isinstance(words, str) else words


def _prompts(given: Prompt | Sequence[Prompt]) -> list[Prompt]:
    """Prompts, of which one may be given by itself: a text, or token ids."""
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]  # type: ignore[list-item]  # one prompt
    return list(given)  # type: ignore[arg-type]  # several


def _shown(model: LoadedModel, prompts: Sequence[Prompt]) -> str:
    first = prompts[0] if isinstance(prompts[0], str) else model.vocabulary.decode(prompts[0])
    text = repr(first if len(first) <= SHOWN else f"{first[:SHOWN]}…")
    return text if len(prompts) == 1 else f"{text} and {len(prompts) - 1} more"


def _summary(model: LoadedModel, name: str, made: str, vectors: Mapping[int, Tensor]) -> DirectionSummary:
    return DirectionSummary(
        name=name,
        model=model.name,
        fingerprint=model.fingerprint,
        made=made,
        layers=tuple(sorted(vectors)),
        hidden=model.anatomy.hidden_size,
    )
