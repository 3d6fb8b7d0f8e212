"""How often `fix` makes a wanted token the top one, at what price, on prompts that it was not made with.

1. Prompts: templates filled in (`fix_prompts`) that the model knows: where there is a right answer, it is among its
   five likeliest tokens.
2. The token wanted: a word among the model's 50 likeliest tokens there but not the first, drawn at random: for half of
   the prompts among all such words, for the others among those that another filler of the template makes likely.
3. `fix` with at most five edits. Its edits are then in force for two paraphrases of the prompt (does the token win
   there?) and for three other fillers of the template, its neighbours (how far do their predictions move?).
4. Controls: as many random edits of equal size in the same layers; and as many vectors, switched on, that `search`
   finds for the token.

Intervals are of 95 %, by bootstrap over the pairs. Some templates were looked at while fixes were made better
(development); the figures that count are those of the others (held out).

Run it: python -m experiments.fix [--model M] [--part held-out|development] [--pairs N] [--json FILE]
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median

import torch
from rich.console import Console
from rich.table import Table

import lm_debugger
from experiments.fix_prompts import DEVELOPMENT, HELD_OUT, Template
from lm_debugger.edits.grammar import parse_all
from lm_debugger.repair.controls import random_edits
from lm_debugger.repair.goal import divergence
from lm_debugger.work import UNWATCHED

AMONG = 50
KNOWN = 5
LETTERS = 3
NEIGHBOURS = 3
MOST_EDITS = 5
RESAMPLES = 2000


@dataclass
class Pair:
    """A prompt with the token wanted after it."""

    template: Template
    filler: str
    wanted: int

    @property
    def prompt(self) -> str:
        return self.template.prompt.format(self.filler)


@dataclass
class Outcome:
    """What a fix did. `paraphrases` are shares of those where the token is the top one; divergences in nats."""

    prompt: str
    wanted: str
    rank: int
    success: bool
    edits: list[str]
    kl: float
    paraphrases: float
    paraphrases_before: float
    neighbour_kl: float
    other_kl: float
    random_other_kl: float
    random_success: bool
    random_kl: float
    search_success: bool
    search_kl: float
    seconds: float
    forwards: int


class Experiment:
    """The experiment on one model."""

    def __init__(self, model: str, seed: int) -> None:
        self.debugger = lm_debugger.load(model)
        self._rng = random.Random(seed)  # not a secret
        self._text = self.debugger.model.vocabulary.text
        self.debugger.calibrate()

    def pairs(self, templates: Sequence[Template], count: int) -> list[Pair]:
        """At most so many pairs, as many of each template as there are."""
        found: list[Pair] = []
        for template in templates:
            prompts = [template.prompt.format(filler) for filler in template.fillers]
            logits = [trace.logits(-1) for trace in self.debugger.trace_batch(prompts)]
            likely = [each.topk(AMONG).indices.tolist() for each in logits]
            common = {tokens[0] for tokens in likely}
            for number, ((filler, answer), tokens) in enumerate(zip(template.fillers.items(), likely, strict=True)):
                if answer and not any(self._text(token).startswith(answer[:4]) for token in tokens[:KNOWN]):
                    continue
                words = [token for token in tokens[1:] if self._is_word(token)]
                others = [token for token in words if token in common]
                if words:
                    found.append(Pair(template, filler, self._rng.choice(others if others and number % 2 else words)))
        self._rng.shuffle(found)
        return found[:count]

    def _is_word(self, token: int) -> bool:
        text = self._text(token)
        return text[:1] == " " and text[1:].isalpha() and len(text) > LETTERS

    def outcome(self, pair: Pair) -> Outcome:
        """One pair."""
        debugger, prompt = self.debugger, pair.prompt
        before = debugger.trace(prompt).logits(-1)
        start = time.perf_counter()
        fixed = debugger.fix(prompt, pair.wanted)
        seconds = time.perf_counter() - start
        paraphrases = [each.format(pair.filler) for each in pair.template.paraphrases]
        fillers = [each for each in pair.template.fillers if each != pair.filler]
        neighbours = [pair.template.prompt.format(each) for each in self._rng.sample(fillers, NEIGHBOURS)]
        texts = [*paraphrases, *neighbours]
        plain = [each.logits(-1) for each in debugger.trace_batch(texts)]
        edited = [each.logits(-1) for each in debugger.trace_batch(texts, [fixed.edits] * len(texts))]
        size = len(fixed.edits) or 1
        edits = debugger.settle(parse_all(fixed.edits), UNWATCHED)
        others = [str(each) for each in random_edits(debugger.model, edits, (), seed=self._rng.randrange(1 << 30))]
        found = [
            f"{each.value}={'on' if each.sign == '+' else 'on-'}"
            for each in debugger.search(_quoted(self._text(pair.wanted)), limit=20).results
        ]
        found = [edit for edit in found if self._possible(edit)][:size]
        controls = debugger.trace_batch([prompt] * 2, [others, found])
        effects = fixed.side_effects
        return Outcome(
            prompt=prompt,
            wanted=self._text(pair.wanted),
            rank=int((before > before[pair.wanted]).sum()) + 1,
            success=fixed.success,
            edits=list(fixed.edits),
            kl=fixed.kl,
            paraphrases=mean(float(int(each.argmax()) == pair.wanted) for each in edited[:2]),
            paraphrases_before=mean(float(int(each.argmax()) == pair.wanted) for each in plain[:2]),
            neighbour_kl=mean(float(divergence(*two)) for two in zip(plain[2:], edited[2:], strict=True)),
            other_kl=effects.kl if effects else 0.0,
            random_other_kl=effects.random_kl if effects else 0.0,
            random_success=int(controls[0].logits(-1).argmax()) == pair.wanted,
            random_kl=float(divergence(before, controls[0].logits(-1))),
            search_success=int(controls[1].logits(-1).argmax()) == pair.wanted,
            search_kl=float(divergence(before, controls[1].logits(-1))),
            seconds=seconds,
            forwards=fixed.forwards,
        )

    def _possible(self, edit: str) -> bool:
        try:
            self.debugger.settle(parse_all([edit]), UNWATCHED)
        except lm_debugger.CalibrationError:  # never active on that side
            return False
        return True


def _quoted(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)


Statistic = Callable[[Sequence[float]], float]


def interval(values: Sequence[float], statistic: Statistic, seed: int = 0) -> tuple[float, float, float]:
    """A statistic with its 95 % interval by bootstrap."""
    rng = random.Random(seed)  # not a secret
    drawn = sorted(statistic(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return statistic(values), drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES)]


ROWS: tuple[tuple[str, Callable[[Outcome], float], Statistic, str], ...] = (
    ("fixed with at most 5 edits", lambda one: float(one.success), mean, "%"),
    ("edits, median", lambda one: float(len(one.edits)), median, ""),
    ("KL here, median", lambda one: one.kl, median, " nats"),
    ("token wins in paraphrases", lambda one: one.paraphrases, mean, "%"),
    ("  without edits", lambda one: one.paraphrases_before, mean, "%"),
    ("KL of neighbours, median", lambda one: one.neighbour_kl, median, " nats"),
    ("KL in other texts, median", lambda one: one.other_kl, median, " nats"),
    ("  of that of random edits, median", lambda one: one.other_kl / max(one.random_other_kl, 1e-6), median, " ×"),
    ("seconds, median", lambda one: one.seconds, median, " s"),
    ("random edits: fixed", lambda one: float(one.random_success), mean, "%"),
    ("  KL here, median", lambda one: one.random_kl, median, " nats"),
    ("  KL in other texts, median", lambda one: one.random_other_kl, median, " nats"),
    ("strongest by search: fixed", lambda one: float(one.search_success), mean, "%"),
    ("  KL here, median", lambda one: one.search_kl, median, " nats"),
)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--part", choices=("held-out", "development"), default="held-out")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    console = Console()
    experiment = Experiment(asked.model, asked.seed)
    pairs = experiment.pairs(DEVELOPMENT if asked.part == "development" else HELD_OUT, asked.pairs)
    outcomes: list[Outcome] = []
    for number, pair in enumerate(pairs, 1):
        outcomes.append(experiment.outcome(pair))
        one = outcomes[-1]
        mark = "✓" if one.success else "✗"
        console.print(
            f"{number}/{len(pairs)} {mark} {one.prompt!r} → {one.wanted!r} (rank {one.rank}) {len(one.edits)} edits, "
            f"KL {one.kl:.2f}, {one.seconds:.1f} s", highlight=False,
        )  # fmt: skip
        if asked.json is not None:
            asked.json.write_text(json.dumps([asdict(each) for each in outcomes], indent=1, ensure_ascii=False))
    table = Table("", f"{len(outcomes)} pairs, {asked.part}", "95 %")
    for what, value, statistic, unit in ROWS:
        scale = 100 if unit == "%" else 1
        middle, low, high = (scale * each for each in interval([value(one) for one in outcomes], statistic))
        table.add_row(what, f"{middle:.3g}{unit}", f"{low:.3g} – {high:.3g}")
    console.print(table)


if __name__ == "__main__":
    torch.set_grad_enabled(True)
    main()
