"""How well direct effects and estimates tell what ablating a part does: `python -m experiments.estimates [MODEL]`.

For each prompt, the parts that any of them ranks highest are switched off one by one. Printed: the correlation of each
with what was measured, over all prompts' parts; for a whole model also by depth and for other ablations. Without MODEL
on the demo model, and on tiny models with random weights of several architectures.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import get_args

import torch

import lm_debugger
from lm_debugger import Debugger
from lm_debugger.attribution.ablate import off, without
from lm_debugger.attribution.account import Entry
from lm_debugger.attribution.choose import Wanted, likeliest
from lm_debugger.attribution.direct import account
from lm_debugger.attribution.estimate import estimates
from lm_debugger.attribution.means import means
from lm_debugger.attribution.question import ask
from lm_debugger.attribution.reference import Reference
from lm_debugger.records.why import EstimateMethod
from lm_debugger.runs.kept import KeptRun
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.work import UNWATCHED

PROMPTS = (
    "My wife is working as a",
    "It was the first time that two",
    "The capital of France is",
    "The quick brown fox jumps over the lazy",
    "She opened the door and saw that the",
    "In 1969, the first man walked on the",
    "The opposite of hot is",
    "He plays the violin in the local",
    "When Mary and John went to the store, John gave a drink to",
    "The keys to the cabinet are on the",
)
METHODS: tuple[EstimateMethod, ...] = get_args(EstimateMethod)
TINY = (
    "llama",
    "gpt2",
    "gemma2",
    "olmo2",
    "gpt_neox",
    "qwen3",
    "opt",
    "falcon",
    "bloom",
    "mixtral",
    "qwen2_moe",
    "phi",
)
EACH = 20  # parts that each ranks highest

Row = dict[str, float]


def measure(run: KeptRun, reference: Reference | None) -> list[tuple[Entry, Row]]:
    """Parts of a run: what each tells of them, and what was measured."""
    question = ask(run, None, None, -1)
    found = account(run, question, UNWATCHED)
    guesses = {method: estimates(run, question, UNWATCHED, method, reference) for method in METHODS}
    wanted = Wanted(verify=EACH)
    tried = [each for guess in (None, *guesses.values()) for each in likeliest(found, guess, wanted)]
    units = {each.entry.name: (each.entry, each.group, each.unit) for each in tried if each.group is not None}.values()
    writes = [off(group, unit) if reference is None else reference.writes(group, unit) for _, group, unit in units]
    lost = without(run, question, writes, UNWATCHED)
    return [
        (
            entry,
            {"direct": entry.effect, "measured": measured}
            | {method: guess.of(group, unit) for method, guess in guesses.items()},
        )
        for (entry, group, unit), measured in zip(units, lost, strict=True)
    ]


def correlations(rows: Sequence[Row]) -> Mapping[str, float]:
    """With what was measured."""
    table = torch.tensor([[row[name] for name in ("measured", "direct", *METHODS)] for row in rows]).double().T
    return dict(zip(("direct", *METHODS), torch.corrcoef(table)[0, 1:].tolist(), strict=True))


def told(name: str, rows: Sequence[Row]) -> None:
    """Print a line."""
    cells = "".join(f"{value:12.2f}" for value in correlations(rows).values())
    print(f"{name:32}{len(rows):6}{cells}", flush=True)


def model(name: str, debugger: Debugger, prompts: Sequence[Prompt], *, whole: bool) -> list[float]:
    """Measure a model and print it; the mean over prompts of each one's correlation."""
    runs = [debugger.trace(prompt) for prompt in prompts]
    of_prompts = [measure(run, None) for run in runs]
    rows = [pair for each in of_prompts for pair in each]
    told(f"{name}, zero", [row for _, row in rows])
    if whole:
        layers = debugger.summary.layers
        for third, depth in enumerate(("first", "middle", "last")):
            told(
                f"  {depth} third of layers",
                [row for entry, row in rows if entry.layer is not None and 3 * entry.layer // layers == third],
            )
        reference = means(debugger.model, UNWATCHED)
        told(f"{name}, mean", [row for run in runs for _, row in measure(run, reference)])
    alone = [correlations([row for _, row in each]) for each in of_prompts]
    return [sum(each[kind] for each in alone) / len(alone) for kind in ("direct", *METHODS)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="as for lm-debugger")
    chosen = parser.parse_args().model
    print(f"{'correlation with measured':32}{'n':>6}" + "".join(f"{kind:>12}" for kind in ("direct", *METHODS)))
    model(chosen or "demo", lm_debugger.load(chosen or "demo"), PROMPTS, whole=True)
    if chosen is None:
        from tests.tiny import prompt, shared

        texts = [prompt(9, seed) for seed in range(6)]
        means_of = [model(f"tiny {each}", shared(each), texts, whole=False) for each in TINY]
        cells = "".join(f"{sum(each) / len(each):12.2f}" for each in zip(*means_of, strict=True))
        print(f"{'mean over tiny types, prompts':38}{cells}")


if __name__ == "__main__":
    main()
