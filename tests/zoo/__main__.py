"""``python -m tests.zoo [TYPE…]``: which model types can be made, run and generate here, and why not."""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter

import torch
import transformers

from . import TYPES, Unavailable, make

_NEW_TOKENS = 4


def _verdict(model_type: str) -> tuple[str, str]:
    try:
        model = make(model_type)
    except Unavailable as error:
        return "unavailable", str(error)
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(3, 80, (1, 12), generator=generator)
    other = (tokens - 3 + torch.arange(12) + 1) % 77 + 3
    try:
        with torch.no_grad():
            logits = model(input_ids=tokens).logits
            if not bool(torch.isfinite(logits).all()):
                raise ArithmeticError("logits are not finite")
            if torch.allclose(logits, model(input_ids=other).logits):
                raise ArithmeticError("logits do not depend on the tokens")
    except Exception as error:
        return "forward fails", _reason(error)
    try:
        with torch.no_grad():
            output: torch.Tensor = model.generate(tokens, max_new_tokens=_NEW_TOKENS, do_sample=False, use_cache=True)  # type: ignore[operator]
        if output.shape != (1, tokens.shape[1] + _NEW_TOKENS):
            raise ArithmeticError(f"{tuple(output.shape)} tokens came back")
    except Exception as error:
        return "generate fails", _reason(error)
    return "ok", ""


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def main(types: list[str]) -> int:
    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    totals: Counter[str] = Counter()
    started = time.monotonic()
    for model_type in types or TYPES:
        before = time.monotonic()
        verdict, reason = _verdict(model_type)
        totals[verdict] += 1
        print(f"{model_type:28} {verdict:14} {time.monotonic() - before:6.2f} s  {reason}".rstrip(), flush=True)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in totals.most_common())
    print(f"{totals.total()} types: {counts}; {time.monotonic() - started:.0f} s")
    return 0 if set(totals) == {"ok"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
