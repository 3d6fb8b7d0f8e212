"""Do value vectors that a search finds make the model say the word? `python -m experiments.lens_switching [MODEL]`.

For each of twenty words, the strongest vectors that a search finds in one half of the layers through each lens are
switched on (`=on`, or `=on-` where the search says so) at every position of fifty openings. Printed: the word's
probability as the next token before and after, beside what happens to the other words (an edit that raises any noun
finds nothing), and how far the prediction moves in all. `random` switches on as many random vectors of the same layers
as the Jacobian lens's (the logit lens's, if there is none), on or on- by the toss of a coin.
"""

import argparse
import random

import lm_debugger
from experiments.switched import HEADER, Effect, Openings, line, mean
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import CalibrationError
from lm_debugger.records.edit import Edit, Operation
from lm_debugger.records.names import UnitName, read_unit
from lm_debugger.runs.spec import settled
from lm_debugger.units.layout import Layout

CANDIDATES = 50  # results looked at: some vectors have no range on the side that is wanted
DRAWS = 3  # of random vectors, a word


def switched(debugger: Debugger, name: UnitName, *, negative: bool) -> Edit | None:
    """The edit that switches a vector on, on one side; None if it is never on that side."""
    edit = Edit(value=name, operation=Operation.ON_NEGATIVE if negative else Operation.ON)
    range_ = debugger.value(name, top_k=1, similar=0).range
    assert range_ is not None  # calibrated before
    try:
        return settled([edit], lambda _: range_)[0]
    except CalibrationError:
        return None


def found(debugger: Debugger, word: str, lens: str, layers: str, count: int) -> list[Edit]:
    """The strongest vectors for a word through a lens, switched on."""
    results = debugger.search(word, layers=layers, lens=lens, limit=CANDIDATES).results
    edits: list[Edit] = []
    for result in results:
        edit = switched(debugger, read_unit(result.value), negative=result.sign == "-")
        edits += [] if edit is None else [edit]
        if len(edits) == count:
            break
    return edits


def drawn(debugger: Debugger, layout: Layout, layers: list[int], dice: random.Random) -> list[Edit]:
    """A random vector of each of some layers, switched on in a random direction."""
    edits: dict[UnitName, Edit] = {}
    for layer in layers:
        rows = layout.rows(layer)
        for _ in range(CANDIDATES):
            name = layout.name(dice.randrange(rows.start, rows.stop))
            edit = None if name in edits else switched(debugger, name, negative=dice.random() < 0.5)
            if edit is not None:
                edits[name] = edit
                break
    return list(edits.values())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("--vectors", type=int, default=5, help="switched on at once")
    parser.add_argument("--words", type=int, default=20, help="of the list")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    debugger = lm_debugger.load(asked.model)
    debugger.calibrate()
    openings = Openings(debugger)
    layout = Layout(debugger.model)
    dice = random.Random(asked.seed)
    names = ["logit", *(about.name for about in debugger.lenses().lenses)]
    matched = "jacobian" if "jacobian" in names else "logit"
    middle, layers = debugger.model.layers // 2, debugger.model.layers
    words = list(openings.forms)[: asked.words]
    print(f"{asked.vectors} vectors a word, {len(words)} words.")
    for first, stop in ((0, middle), (middle, layers)):
        print(f"\nLayers {first}-{stop - 1}\n{HEADER}")
        effects: dict[str, list[Effect]] = {}
        for word in words:
            same: list[int] = []
            for name in names:
                edits = found(debugger, word, name, f"{first}-{stop - 1}", asked.vectors)
                effects.setdefault(name, []).append(openings.under(edits, word))
                if name == matched:
                    same = [edit.value.layer for edit in edits]
            for _ in range(DRAWS):
                effects.setdefault("random", []).append(openings.under(drawn(debugger, layout, same, dice), word))
        for name, each in effects.items():
            print(line(name, mean(each)), flush=True)
        wins = {name: sum(one.gain > one.others for one in each) / len(each) for name, each in effects.items()}
        print("Words raised more than the others: " + ", ".join(f"{name} {share:.0%}" for name, share in wins.items()))


if __name__ == "__main__":
    main()
