"""Least squares with few terms: which tensors, times which factors, add up to another."""

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

EXACT = 2e-5  # relative error of a float32 fit that counts as an explanation
MOST_TERMS = 4


def relative(error: Tensor, of: Tensor) -> float:
    """Length of the error as a fraction of the length of what it is an error of."""
    return float(error.double().norm() / of.double().norm().clamp_min(1e-30))


@dataclass(frozen=True)
class Sum:
    """target = sum of factor · candidate. Each factor is one number or one for each channel."""

    terms: tuple[tuple[int, tuple[float, ...]], ...]
    error: float


def explain(target: Tensor, candidates: list[Tensor]) -> Sum | None:
    """The shortest sum of candidates that equals the target, with scalar factors, else with channel factors.

    Shapes: target and candidates (tokens, hidden), float32. Returns None if no sum of up to four terms does.
    """
    stacked = [candidate.double().flatten() for candidate in candidates]
    goal = target.double().flatten()
    if not candidates:
        return None
    columns = torch.stack(stacked)
    gram, right = columns @ columns.T, columns @ goal
    length = float(goal @ goal)
    for size in range(1, min(MOST_TERMS, len(candidates)) + 1):
        for chosen in combinations(range(len(candidates)), size):
            index = torch.tensor(chosen)
            factors = torch.linalg.lstsq(gram[index][:, index], right[index, None]).solution[:, 0]
            if float(length - factors @ right[index]) > 1e-6 * length:
                continue
            error = relative(goal - factors @ columns[index], goal)
            if error <= EXACT and float(factors.abs().min()) > 1e-6:
                return Sum(tuple((i, (_snap(float(f)),)) for i, f in zip(chosen, factors, strict=True)), error)
    return _by_channel(target, candidates)


def _by_channel(target: Tensor, candidates: list[Tensor]) -> Sum | None:
    """As `explain`, with one factor for each channel. Needs many more tokens than terms."""
    for size in range(1, min(3, len(candidates)) + 1):
        for chosen in combinations(range(len(candidates)), size):
            columns = torch.stack([candidates[i].double() for i in chosen], -1).transpose(0, 1)  # (hidden, tokens, k)
            goal = target.double().T[..., None]
            factors = torch.linalg.lstsq(columns, goal).solution  # (hidden, k, 1)
            error = relative(goal - columns @ factors, goal)
            if error <= EXACT:
                terms = [tuple(_snap(float(f)) for f in factors[:, k, 0]) for k in range(size)]
                return Sum(tuple(zip(chosen, (_shorten(term) for term in terms), strict=True)), error)
    return None


def _shorten(factor: tuple[float, ...]) -> tuple[float, ...]:
    return factor[:1] if max(factor) - min(factor) < 1e-6 else factor


def _snap(factor: float) -> float:
    """Factors that are a whole number up to the fit's error are that number."""
    return float(round(factor)) if abs(factor - round(factor)) < 1e-5 and round(factor) != 0 else factor
