"""What a push along a word's direction does, by layer and lens: `python -m experiments.steering [MODEL]`.

For each word, `LnR(" word" by LENS)+=STRENGTH` at every position of fifty openings, at layers a quarter of the model
apart, through each lens; `random` is a random direction of the same length. Printed: the word's probability as the
next token before and after, beside what happens to the other words, and how far the prediction moves in all.
"""

import argparse

import lm_debugger
from experiments.switched import HEADER, Effect, Openings, line, mean
from lm_debugger.edits.grammar import parse

QUARTERS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="demo")
    parser.add_argument("--strength", type=float, default=0.2, help="in typical lengths of the stream")
    parser.add_argument("--words", type=int, default=10, help="of the list")
    asked = parser.parse_args()
    debugger = lm_debugger.load(asked.model)
    openings = Openings(debugger)
    names = ["logit", *(about.name for about in debugger.lenses().lenses)]
    words = list(openings.forms)[: asked.words]
    layers = sorted({debugger.model.layers * quarter // QUARTERS for quarter in range(QUARTERS)})
    print(f"+={asked.strength:g}, {len(words)} words.\n{HEADER}")
    for layer in layers:
        effects: dict[str, list[Effect]] = {}
        for number, word in enumerate(words):
            directions = {name: f'" {word}" by {name}' for name in names} | {"random": f"random {number}"}
            for name, direction in directions.items():
                edit = parse(f"L{layer}R({direction})+={asked.strength!r}")
                effects.setdefault(name, []).append(openings.under([edit], word))
        for name, each in effects.items():
            print(line(f"layer {layer}, {name}", mean(each)), flush=True)


if __name__ == "__main__":
    main()
