"""How well the direct effect and the estimate tell what switching a part off does: `python -m experiments.estimates`.

For each prompt, the parts with the largest estimates and as many with the largest direct effects are switched off one
by one. Printed: the correlation with what was measured, over all prompts' parts, by depth.
"""

import torch

import lm_debugger

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
EACH = 40


def main() -> None:
    """Measure and print."""
    debugger = lm_debugger.load("demo")
    layers = debugger.summary.layers
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for prompt in PROMPTS:
        likeliest = debugger.why(prompt, verify=EACH, top_k=1)
        largest = debugger.why(prompt, verify=EACH, top_k=1, estimate=False)
        estimates = {part.part: part.estimate for part in debugger.why(prompt, top_k=1000).parts}
        for name, answer in (("largest estimates", likeliest), ("largest direct effects", largest)):
            for part in answer.parts:
                estimate = estimates.get(part.part, part.estimate)
                if part.measured is None or estimate is None:
                    continue
                depth = "embedding"
                if part.part != "embedding":
                    layer = int(part.part[1:].split("H")[0].split("D")[0])
                    third = min(3 * layer // layers, 2)
                    depth = ("first third", "middle third", "last third")[third]
                for key in (f"{name}, {depth}", f"{name}, all units" if depth != "embedding" else ""):
                    if key:
                        rows.setdefault(key, []).append((part.effect, estimate, part.measured))
    for key in sorted(rows):
        table = torch.tensor(rows[key], dtype=torch.float64).T
        if table.shape[1] > 2:
            correlation = torch.corrcoef(table)
            print(f"{key:45} n={table.shape[1]:4}  direct {correlation[0, 2]:+.2f}  estimate {correlation[1, 2]:+.2f}")


if __name__ == "__main__":
    main()
