"""A model's anatomy as data: where its parts are and how they add up. No torch, so that it can be cached as JSON.

Terms (docs/glossary.md): in a layer the residual stream is `resid_pre` (the layer's input), **before** (the stream that
the feed-forward's contribution is added to) and **after** (the layer's output):

    sum   = before + contribution          contribution = sum over groups of route(group's output)
    after = after_norm(sum), or sum where there is no such norm

A **group** is a down projection (or all experts of a mixture): its input holds the coefficients, its rows or columns
are the value vectors. A group's **route** is what its output passes through on the way to the residual stream.

The **heads** of a layer are slices of the input of the token mixer's output projection that nothing ties together.
"""

from enum import StrEnum

from lm_debugger.engine.sites import Site
from lm_debugger.records.base import Record


class Form(StrEnum):
    """How a tensor reaches a later one."""

    SCALE = "scale"  # times one number
    CHANNEL = "channel"  # times one number for each channel
    TOKEN = "token"  # times one number for each token, different in every run (a gate)
    NORM = "norm"  # through a norm module


class Step(Record):
    """One step of a route.

    Args:
        form: what happens.
        factor: for SCALE one number, for CHANNEL one for each channel.
        path: for NORM the module.
    """

    form: Form
    factor: tuple[float, ...] = ()
    path: str = ""


class Term(Record):
    """A tensor times a factor: one number, or one for each channel."""

    site: Site
    factor: tuple[float, ...] = (1.0,)


class Group(Record):
    """Value vectors that share a module.

    Args:
        path: the down projection, or the module that holds all experts.
        experts: number of experts, 0 for a dense down projection.
        width: number of coefficients (of each expert).
        route: what the group's output passes through on its way to the residual stream.
    """

    path: str
    experts: int
    width: int
    route: tuple[Step, ...] = ()

    @property
    def vectors(self) -> int:
        """Number of value vectors."""
        return max(1, self.experts) * self.width


class Read(Record):
    """One linear map on the way of the values, from the residual stream to what a head writes.

    Args:
        path: the linear map.
        norm: the norm that its input comes out of ("" for none).
        factor: what that is multiplied by.
        inputs: channels of its input.
        starts: where in the map's output the values begin: one number for each head, or for all heads together.
    """

    path: str
    norm: str = ""
    factor: float = 1.0
    inputs: int
    starts: tuple[int, ...] = (0,)


class Heads(Record):
    """The heads of a layer's token mixer. Head h writes through the channels h·width to (h+1)·width of the
    projection's input.

    Args:
        path: the output projection.
        count: number of heads.
        width: channels of each.
        route: what the projection's output passes through on its way to the stream before the feed-forward.
        arrives: where that stream is read if it is not the layer's `before`: the sum of the layer's input and the
            mixer's output in a layer whose feed-forward cannot be told apart.
        post_norm: the norm on the route that takes the sum of the stream and the mixer's output, "" where the sum
            itself is the stream before (all but post-layer-norm models).
        rest: what that sum has beside the mixer's output; empty where it could not be told.
        values: the linear maps from the residual stream to what the heads write where a token attends to itself
            alone; empty where that is not linear.
        opaque: why values is empty.
    """

    path: str
    count: int
    width: int
    route: tuple[Step, ...] = ()
    arrives: Site | None = None
    post_norm: str = ""
    rest: tuple[Term, ...] = ()
    values: tuple[Read, ...] = ()
    opaque: str = ""


class LayerAnatomy(Record):
    """One layer.

    Args:
        path: the layer's module.
        before: terms that add up to the stream before the feed-forward; empty where it can only be derived as
            sum minus contribution.
        total: where the sum is read.
        after: where the stream after the layer is read.
        after_norm: path of the norm between sum and after ("" if none).
        groups: the feed-forward's groups; empty for a layer without one.
        formula: the residual formula in words.
        dropped: linears that write to the residual stream but could not be explained.
        heads: the token mixer's heads, or None.
        headless: why there are none ("" where there are).
    """

    path: str
    before: tuple[Term, ...]
    total: Site
    after: Site
    after_norm: str = ""
    groups: tuple[Group, ...] = ()
    formula: str = ""
    dropped: tuple[str, ...] = ()
    heads: Heads | None = None
    headless: str = ""

    @property
    def dense(self) -> tuple[Group, ...]:
        """Groups named without an expert; their dimensions are numbered on, in this order."""
        return tuple(group for group in self.groups if not group.experts)

    @property
    def routed(self) -> Group | None:
        """The mixture of experts, or None."""
        return next((group for group in self.groups if group.experts), None)


class ReadOut(Record):
    """How the model turns the last residual into logits: modules in order, the unembedding last.

    Args:
        modules: paths of the modules.
        scales: for each module the factor applied to its input.
        logit_scale: factor on the unembedding's output.
        soft_cap: c in c·tanh(logit/c), 0 for none.
        vocabulary: number of logits.
    """

    modules: tuple[str, ...]
    scales: tuple[float, ...]
    logit_scale: float = 1.0
    soft_cap: float = 0.0
    vocabulary: int


class Anatomy(Record):
    """The whole model.

    Args:
        hidden_size: width of the residual stream.
        layers: all layers in order.
        readout: from the last residual to the logits.
        batch_first: False where the stream is laid out (position, batch, hidden); batches then run one by one.
        mutates: whether some module changes a stream in place, so that captures must be copies.
    """

    hidden_size: int
    layers: tuple[LayerAnatomy, ...]
    readout: ReadOut
    batch_first: bool = True
    mutates: bool = False

    @property
    def value_vectors(self) -> int:
        """Number of value vectors in the whole model."""
        return sum(group.vectors for layer in self.layers for group in layer.groups)

    @property
    def head_count(self) -> int:
        """Number of heads in the whole model."""
        return sum(layer.heads.count for layer in self.layers if layer.heads)

    def dense_width(self, layer: int) -> int:
        """Number of coefficients that `L{layer}D…` can name."""
        return sum(group.width for group in self.layers[layer].dense)

    def experts(self, layer: int) -> tuple[int, int]:
        """Number of experts and the width of each; (0, 0) without a mixture of experts."""
        group = self.layers[layer].routed
        return (group.experts, group.width) if group else (0, 0)
