"""Which parts of an account are listed, and which are verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar, get_args

from lm_debugger.attribution.account import Account, Entry, UnitEffects
from lm_debugger.attribution.estimate import DEFAULT, Estimates
from lm_debugger.attribution.reference import key
from lm_debugger.errors import OptionError
from lm_debugger.records.why import Ablation, EstimateMethod
from lm_debugger.units.unit import Group

MOST = 1000  # parts that can be listed, or verified
METHODS: tuple[EstimateMethod, ...] = get_args(EstimateMethod)
ABLATIONS: tuple[Ablation, ...] = get_args(Ablation)

C = TypeVar("C", bound=str)


def chosen(word: C, choices: Sequence[C], name: str) -> C:
    """One of some words.

    Raises:
        OptionError: if it is another.
    """
    if word not in choices:
        raise OptionError(f"{name} is {word!r}.", f"Use {', '.join(choices)}.")
    return word


def estimate_method(estimate: bool | EstimateMethod) -> EstimateMethod | None:
    """How to estimate: True for the default, False for not at all.

    Raises:
        OptionError: if there is no such way.
    """
    if isinstance(estimate, bool):
        return DEFAULT if estimate else None
    return chosen(estimate, METHODS, "estimate")


def ablation_kind(ablate: Ablation | None, *, given: bool) -> Ablation:
    """What takes an ablated part's place.

    Args:
        ablate: as asked for; None for the default.
        given: whether another prompt is given.

    Raises:
        OptionError: if there is no such way, or it and the prompt do not go together.
    """
    kind = ("resample" if given else "zero") if ablate is None else chosen(ablate, ABLATIONS, "ablate")
    if kind == "resample" and not given:
        raise OptionError("ablate is 'resample', but no other prompt is given.", "Give one with resample.")
    if given and kind != "resample":
        raise OptionError(f"A prompt to resample from is given, but ablate is {kind!r}.", "Use ablate='resample'.")
    return kind


class Candidate(NamedTuple):
    """A part that may be listed.

    Args:
        entry: name, kind, layer and effect.
        group, unit: for a unit where it is, else None and 0.
    """

    entry: Entry
    group: Group | None = None
    unit: int = 0


@dataclass(frozen=True)
class Wanted:
    """What to list.

    Args:
        top_k: how many parts.
        layers: only parts of these layers; None for all.
        estimate: how to estimate what ablating parts would do; None to leave it out.
        verify: how many parts to ablate one by one, the most promising first.
        sources: whether to tell what heads brought from each token.

    Raises:
        OptionError: if a number is out of range.
    """

    top_k: int = 20
    layers: range | None = None
    estimate: EstimateMethod | None = DEFAULT
    verify: int = 0
    sources: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.verify <= MOST:
            raise OptionError(f"verify is {self.verify}.", f"It must be from 0 to {MOST}.")
        if not 1 <= self.top_k <= MOST:
            raise OptionError(f"top_k is {self.top_k}.", f"It must be from 1 to {MOST}.")

    def holds(self, layer: int | None) -> bool:
        """Whether parts of a layer may be listed."""
        return self.layers is None or (layer is not None and layer in self.layers)


def strongest(found: Account, wanted: Wanted) -> list[Candidate]:
    """The parts with the largest effects, largest first."""
    candidates = [Candidate(entry) for entry in found.entries if wanted.holds(entry.layer)]
    for units in found.units:
        if wanted.holds(units.group.layer):
            best = units.effects.abs().topk(min(wanted.top_k, len(units.effects))).indices.tolist()
            candidates += [candidate(units, index) for index in best if units.effects[index] != 0]
    return sorted(candidates, key=lambda each: -abs(each.entry.effect))[: wanted.top_k]


def likeliest(found: Account, guesses: Estimates | None, wanted: Wanted) -> list[Candidate]:
    """The parts to verify: those with the largest estimates; without estimates, with the largest direct effects."""
    count = wanted.verify
    if not count:
        return []
    candidates = [
        (abs(entry.effect if guesses is None else guesses.embedding), Candidate(entry))
        for entry in found.entries
        if entry.kind == "embedding" and wanted.layers is None
    ]
    for units in found.units:
        if wanted.holds(units.group.layer):
            sizes = (units.effects if guesses is None else guesses.units[key(units.group)]).abs()
            best = sizes.topk(min(count, len(sizes))).indices.tolist()
            candidates += [(float(sizes[index]), candidate(units, index)) for index in best if sizes[index] != 0]
    return [each for _, each in sorted(candidates, key=lambda pair: -pair[0])[:count]]


def candidate(units: UnitEffects, index: int) -> Candidate:
    """A unit as a candidate."""
    group = units.group
    entry = Entry(str(group.name(index)), units.kind, group.layer, float(units.effects[index]))
    return Candidate(entry, group, index)
