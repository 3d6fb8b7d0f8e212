"""Finds the way of the values: the linear maps from the residual stream to what a head writes.

The first token attends to nothing but itself, so there a head writes its own value, times its attention weight (less
than 1 where some of it goes to a sink). What a slice holds there is looked for in what the maps inside the mixer gave,
as a run of channels that is a multiple of it; then what entered that map is looked for in turn, through norms, until
the stream is reached.
"""

from torch import Tensor

from lm_debugger.anatomy.discovery.fit import EXACT, relative
from lm_debugger.anatomy.discovery.record import Call
from lm_debugger.anatomy.discovery.route import value_of
from lm_debugger.anatomy.norms import probe
from lm_debugger.anatomy.parts import Read
from lm_debugger.engine.sites import Side

MOST_STEPS = 4
TOLERANCE = 1e-4  # relative: one token, float32


def find_values(stream: Tensor, slices: Tensor, linears: list[Call], calls: list[Call]) -> tuple[tuple[Read, ...], str]:
    """The maps in order from the stream to the slices, or none and why.

    Args:
        stream: what enters the layer, (tokens, hidden).
        slices: what the heads write at the first token, (heads, width).
        linears: calls of the linear maps inside the mixer.
        calls: calls that may be norms on the way.
    """
    maps: list[Read] = []
    wanted = slices
    for _ in range(MOST_STEPS):
        found = next(((call, starts) for call in linears if (starts := _within(wanted, call))), None)
        if found is None:
            return (), _why(maps)
        call, starts = found
        entered = value_of(call, Side.INPUT)
        through = norm_giving(entered, calls)
        source, norm, factor = entered, "", 1.0
        if through is not None:
            source, norm, factor = value_of(through[0], Side.INPUT), through[0].path, through[1]
        maps.insert(0, Read(path=call.path, norm=norm, factor=factor, inputs=entered.shape[-1], starts=starts))
        if source.shape == stream.shape and relative(source - stream, stream) < EXACT:
            return tuple(maps), ""
        wanted = source[:1]
    return (), _why(maps)


def _why(maps: list[Read]) -> str:
    if not maps:
        return "what a head writes at the first token is no linear map's output: a gate, norm or recurrence follows"
    return f"what enters {maps[0].path} does not come from the residual stream by linear maps and norms alone"


def _within(wanted: Tensor, call: Call) -> tuple[int, ...]:
    """Where in the call's output at the first token each row of wanted (rows, width) begins, up to a factor; or ()."""
    left = value_of(call, Side.OUTPUT)[0]
    width = wanted.shape[-1]
    if len(left) < width:
        return ()
    windows = left.unfold(0, width, 1).double()  # (starts, width)
    rows = wanted.double()
    product = rows @ windows.T
    cosine = product / (rows.norm(dim=-1)[:, None] * windows.norm(dim=-1)).clamp_min(1e-30)
    best = cosine.max(-1)
    # The sine of the angle is the relative error.
    if bool(((1 - best.values.clamp(-1, 1) ** 2).sqrt() > TOLERANCE).any()):
        return ()
    return tuple(best.indices.tolist())


def norm_giving(left: Tensor, calls: list[Call]) -> tuple[Call, float] | None:
    """The call of a norm whose output this is times a factor, and the factor; or None."""
    for call in calls:
        if call.entered is None or call.left is None or call.entered.shape != call.left.shape:
            continue
        given = value_of(call, Side.OUTPUT)
        if given.shape != left.shape:
            continue
        factor = float((given * left).sum() / (given * given).sum().clamp_min(1e-30))
        if relative(given * factor - left, left) < EXACT and probe(call.module, left.shape[-1]) is not None:
            return call, 1.0 if abs(factor - 1) < EXACT else factor
    return None
