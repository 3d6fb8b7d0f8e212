"""What the general rules get wrong: config changes of single model types; a table, no code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Types which are decoders only if their config says so.
DECODERS: frozenset[str] = frozenset(
    [
        "bert",
        "bert-generation",
        "big_bird",
        "camembert",
        "data2vec-text",
        "electra",
        "ernie",
        "megatron-bert",
        "rembert",
        "roberta",
        "roberta-prelayernorm",
        "roc_bert",
        "roformer",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    ]
)

#: Field values by model type; ``...`` leaves a field at its default.
CHANGES: Mapping[str, Mapping[str, Any]] = {}
