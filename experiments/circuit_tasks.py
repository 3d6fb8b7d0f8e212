"""Generated pairs of prompts with counterfactuals, in any vocabulary: indirect objects, and subject-verb agreement.

Each pair has as many tokens on both sides, and an answer that the other side turns round. Pairs that the model does not
answer rightly on both sides are left out.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from lm_debugger import Debugger
from lm_debugger.engine.sites import Pass

AT_ONCE = 32  # pairs tried

NAMES = (
    "Mary", "John", "Tom", "James", "Anna", "Peter", "Paul", "Alice", "Mark", "Sarah", "David", "Emma", "Jack", "Kate",
    "Laura", "Simon", "Robert", "Susan", "Henry", "Jane",
)  # fmt: skip
SCENES = (
    "{a} and {b} met. {s} gave a book to",
    "{a} and {b} talked. {s} gave a gift to",
    "{a} and {b} went home. {s} sent a letter to",
)
NOUNS = (
    ("key", "keys"), ("author", "authors"), ("teacher", "teachers"), ("picture", "pictures"), ("book", "books"),
    ("student", "students"), ("letter", "letters"), ("car", "cars"), ("house", "houses"), ("child", "children"),
)  # fmt: skip
BETWEEN = (
    "near the doctor", "near the doctors", "behind the wall", "behind the walls", "from the city", "with the lawyer",
    "with the lawyers", "by the river",
)  # fmt: skip


class Pair(NamedTuple):
    """A prompt and its counterfactual, token ids; the two answers, of which the first is the prompt's."""

    ids: tuple[int, ...]
    other: tuple[int, ...]
    target: int
    against: int


def _indirect_objects() -> Iterator[tuple[str, str, str, str]]:
    for scene, (a, b) in itertools.product(SCENES, itertools.permutations(NAMES, 2)):
        yield scene.format(a=a, b=b, s=b), scene.format(a=a, b=b, s=a), f" {a}", f" {b}"


def _agreement() -> Iterator[tuple[str, str, str, str]]:
    for forms, between in itertools.product(NOUNS, BETWEEN):
        for number in (0, 1):
            verbs = (" is", " are") if number == 0 else (" are", " is")
            yield f"The {forms[number]} {between}", f"The {forms[1 - number]} {between}", *verbs


TASKS = {"indirect object": _indirect_objects, "agreement": _agreement}


def pairs(debugger: Debugger, task: str, count: int, seed: int) -> list[Pair]:
    """Pairs of a task that the model can do, in random order; fewer if there are not so many."""
    candidates = list(TASKS[task]())
    random.Random(seed).shuffle(candidates)
    words = debugger.model.vocabulary
    found: list[Pair] = []
    tried: list[Pair] = []
    for prompt, counterfactual, target, against in candidates:
        ids, other = (tuple(words.encode(text)) for text in (prompt, counterfactual))
        answers = [words.encode(text, special=False) for text in (target, against)]
        if len(ids) == len(other) and all(len(answer) == 1 for answer in answers):
            tried.append(Pair(ids, other, answers[0][0], answers[1][0]))
    for start in range(0, len(tried), AT_ONCE):
        some = tried[start : start + AT_ONCE]
        here = leads(debugger, [pair.ids for pair in some], some)
        there = leads(debugger, [pair.other for pair in some], some)
        found += [pair for pair, one, other in zip(some, here, there, strict=True) if one > 0 > other]
        if len(found) >= count:
            break
    return found[:count]


@torch.no_grad()
def leads(debugger: Debugger, texts: Sequence[tuple[int, ...]], members: Sequence[Pair]) -> list[float]:
    """The lead of each pair's answer over the other after a text."""
    model = debugger.model
    last = model.anatomy.layers[-1].after
    captures = model.engine.observe([Pass(ids) for ids in texts], [last])
    logits = model.readout.uncapped(torch.stack([capture[last][-1] for capture in captures]))
    return [float(row[pair.target] - row[pair.against]) for row, pair in zip(logits, members, strict=True)]
