"""The original paper's headline, repeated: switch on a few vectors found by search, and the text's sentiment changes.

Geva et al. 2022 (arXiv 2204.12130, section 4.2) steer GPT-2 with vectors that were picked by hand. Here:

1. `search` finds the ten vectors of the upper two thirds of the layers that promote eight positive words most against
   eight negative ones; and the ten that do the opposite. Nothing is picked by hand.
2. Each is set to `=on`, times a strength that was chosen with other prompts (`--choose`).
3. For five prompts, many continuations are sampled. An independent lexicon (VADER, Hutto and Gilbert 2014) gives each a
   sentiment from -1 to 1.
4. The same is done without edits, and with random vectors of the same layers and strength.
5. Fluency: the mean negative log-likelihood per token of the continuations under the model without edits, in nats.

Run it: python -m experiments.sentiment
"""

import argparse
import random
from collections.abc import Sequence
from statistics import mean, stdev

import torch
from lm_debugger.engine.forward import rewriting
from lm_debugger.engine.generation import generate
from rich.console import Console
from rich.table import Table
from transformers import TemperatureLogitsWarper
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

import lm_debugger
from lm_debugger.edits.grammar import parse_all
from lm_debugger.records.search import SearchAnswer, SearchResult
from lm_debugger.units.compile import compile_edits

POSITIVE = "good, great, excellent, wonderful, best, amazing, nice, friendly"
NEGATIVE = "bad, terrible, awful, horrible, worst, disappointing, poor, rude"
PROMPTS = (
    "Service in this place is",
    "The food at this restaurant is",
    "I think this book is",
    "My experience with this company was",
    "The weather on our trip was",
)
# With these the strengths were chosen; they are not reported.
OTHER_PROMPTS = ("The hotel room was", "Our waiter at dinner", "I watched the movie and")


class Experiment:
    """Samples continuations under edits and measures them.

    Args:
        samples: continuations of each prompt.
        tokens: length of each.
        temperature: of the sampling.
        seed: of the sampling.
    """

    def __init__(self, prompts: Sequence[str], samples: int, tokens: int, temperature: float, seed: int) -> None:
        self.debugger = lm_debugger.load("demo")
        self.prompts = prompts
        self._lexicon = SentimentIntensityAnalyzer()
        self._samples, self._tokens, self._seed = samples, tokens, seed
        self._sampling = [TemperatureLogitsWarper(temperature)]

    def vectors(self, wanted: str, unwanted: str, layers: str, sign: str, count: int) -> SearchAnswer:
        """Those that promote the wanted words most, less the unwanted ones."""
        return self.debugger.search(wanted, unwanted=unwanted, layers=layers, sign=sign, limit=count)

    def measure(self, edits: Sequence[str]) -> tuple[list[list[float]], float, str]:
        """The sentiments of each prompt's continuations, the nats per token over all, and the middle continuation."""
        sentiments, nats, texts = [], [], []
        for prompt in self.prompts:
            continued, loss = self._continue(prompt, edits)
            sentiments.append([self._lexicon.polarity_scores(text)["compound"] for text in continued])
            nats.append(loss)
            texts += [f"{prompt}{text}" for text in continued]
        order = sorted(zip((value for row in sentiments for value in row), texts, strict=True))
        return sentiments, mean(nats), order[len(order) // 2][1]

    def _continue(self, prompt: str, edits: Sequence[str]) -> tuple[list[str], float]:
        """Continuations, and their mean nats per token under the model without edits."""
        model = self.debugger.model
        ids = model.vocabulary.encode(prompt)
        start = model.tensor([ids] * self._samples)
        plan = None
        if edits:
            plan = compile_edits(
                [parse_all(edits)] * self._samples, model, prompt_length=len(ids), length=len(ids) + self._tokens,
                ranges=self.debugger.coefficient_range,
            )  # fmt: skip
        with model.lock, torch.random.fork_rng():
            torch.manual_seed(self._seed)
            with rewriting(model.network, model.anatomy, plan):
                sequences = generate(
                    model.network, start, steps=self._tokens, sample=True, endless=True, processors=self._sampling
                ).sequences
            with torch.no_grad():
                logits = model.network(input_ids=sequences, use_cache=False).logits[:, len(ids) - 1 : -1].float()
        continued = sequences[:, len(ids) :]
        loss = -logits.log_softmax(-1).gather(-1, continued[..., None]).mean()
        return [model.vocabulary.decode(row.tolist()) for row in continued], float(loss)


def edits_of(found: SearchAnswer, strength: float) -> list[str]:
    """Each vector on, on the side that the search found, times the strength."""
    return [f"{result.value}={_on(result)}*{strength}" for result in found.results]


def _on(result: SearchResult) -> str:
    return "on" if result.sign == "+" else "on-"


def random_edits(found: SearchAnswer, strength: float, width: int, seed: int) -> list[str]:
    """Random vectors of the same layers, on the same sides, with the same strength."""
    draw = random.Random(seed)
    chosen: dict[str, str] = {}
    for result in found.results:
        while (value := f"L{result.layer}D{draw.randrange(width)}") in chosen:
            pass
        chosen[value] = f"{value}={_on(result)}*{strength}"
    return list(chosen.values())


def main() -> None:
    """Run it and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=64, help="continuations of each prompt")
    parser.add_argument("--tokens", type=int, default=30, help="tokens of each continuation")
    parser.add_argument("--vectors", type=int, default=10)
    parser.add_argument("--layers", default="10-29")
    parser.add_argument("--sign", default="+", choices=("+", "-", "both"), help="of the coefficients that may be used")
    parser.add_argument("--positive-strength", type=float, default=1.0)
    parser.add_argument("--negative-strength", type=float, default=1.05)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--random", type=int, default=3, help="draws of random vectors for each side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--choose", action="store_true", help="use the prompts with which the strengths were chosen")
    asked = parser.parse_args()
    console = Console(width=120)
    prompts = OTHER_PROMPTS if asked.choose else PROMPTS
    experiment = Experiment(prompts, asked.samples, asked.tokens, asked.temperature, asked.seed)
    width = experiment.debugger.model.vectors(0)[0].units
    sides = {
        "positive": (
            experiment.vectors(POSITIVE, NEGATIVE, asked.layers, asked.sign, asked.vectors),
            asked.positive_strength,
        ),
        "negative": (
            experiment.vectors(NEGATIVE, POSITIVE, asked.layers, asked.sign, asked.vectors),
            asked.negative_strength,
        ),
    }
    rows: dict[str, list[str]] = {"no edit": []}
    for side, (found, strength) in sides.items():
        rows[side] = edits_of(found, strength)
        for draw in range(asked.random):
            rows[f"random, as {side} {draw + 1}"] = random_edits(found, strength, width, 1000 + draw)
        console.print(f"{side}: {' '.join(rows[side])}", highlight=False)

    table = Table("vectors", *(prompt.split(" ")[1] for prompt in prompts), "mean", "nats", "more")
    base = None
    for name, edits in rows.items():
        sentiments, nats, example = experiment.measure(edits)
        base = nats if base is None else base
        everything = [value for row in sentiments for value in row]
        error = stdev(everything) / len(everything) ** 0.5
        console.print(f"{name}: the text of middle sentiment: {' '.join(example.split())}", highlight=False)
        table.add_row(
            name, *(f"{mean(row):+.2f}" for row in sentiments), f"{mean(everything):+.2f} ± {error:.2f}",
            f"{nats:.2f}", f"{nats - base:+.2f}",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
