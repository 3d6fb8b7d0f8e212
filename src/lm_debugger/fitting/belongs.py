"""Whether a lens is a model's: not by its word, but by what it predicts.

Shapes and fingerprint are told when the file is read (`lenses.book`). Here it is tried: it must predict what small
pushes of the stream do to the logits better than the logit lens, which takes every layer for the last.
"""

from lm_debugger.fitting.compare import HELD_OUT, LENGTH
from lm_debugger.fitting.pushes import causal
from lm_debugger.fitting.texts import texts
from lm_debugger.lenses.lens import LOGIT_LENS, FittedLens
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.lens import LayerCheck, LensCheck
from lm_debugger.work import UNWATCHED, Work

LAYERS = 4  # that are tried, spread over the depth
PUSHES = 12
TEXTS = 4


def belongs(model: LoadedModel, lens: FittedLens, work: Work = UNWATCHED) -> LensCheck:
    """Try a lens whose shape is the model's.

    Raises:
        CancelledError: if cancelled.
    """
    known = sorted(lens.matrices)
    count = min(LAYERS, len(known))
    layers = sorted({known[(2 * place + 1) * len(known) // (2 * count)] for place in range(count)})
    length = min(LENGTH, model.context or LENGTH)
    ids = texts(model, None, count=TEXTS, length=length, seed=HELD_OUT, work=work).ids
    told = causal(model, [lens, LOGIT_LENS], ids, layers, pushes=PUSHES, seed=HELD_OUT, work=work)
    tried = tuple(LayerCheck(layer=layer, causal=told[layer][0], logit=told[layer][1]) for layer in layers)
    mine = sum(each.causal for each in tried) / len(tried)
    theirs = sum(each.logit for each in tried) / len(tried)
    better = mine > theirs
    than, where = "better" if better else "no better", ", ".join(map(str, layers))
    reason = (
        f"It predicts the effect of small pushes {than} than the logit lens: correlation {mine:.2f} against "
        f"{theirs:.2f}, mean over layers {where}."
    )
    return LensCheck(lens=lens.about, model=model.name, belongs=better, reason=reason, layers=tried)
