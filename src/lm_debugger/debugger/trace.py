"""A run with its views and its looks: what `Debugger.trace` returns."""

from collections.abc import Sequence

from lm_debugger.engine.guard import exact
from lm_debugger.readouts.view import view
from lm_debugger.records.trace import TraceView
from lm_debugger.records.watch import WatchPath
from lm_debugger.runs.kept import KeptRun
from lm_debugger.watches.bind import Watch, bind
from lm_debugger.watches.through import through_layers


class Trace(KeptRun):
    """One prompt's run through the model, with or without edits, and its read-outs. Immutable.

    Attributes are those of `KeptRun`: `model`, `ids`, `tokens`, `interventions`, `baseline`.
    """

    @exact
    def view(
        self,
        position: int = -1,
        top_k: int = 10,
        effect_on: int | None = None,
        head_tokens: int = 1,
        watches: Sequence[str | Watch] = (),
    ) -> TraceView:
        """Read the trace out at one position, through the lens that it was asked for with.

        Args:
            position: the token position, from 0; negative ones count from the end.
            top_k: how many tokens and sub-updates to list, 1 or more.
            effect_on: id of a token, for the direct effect of each sub-update on its logit.
            head_tokens: for how many of a layer's heads, strongest first, to list the tokens that they promote here:
                for each one product with the whole unembedding.
            watches: expressions to follow through the layers, such as `p(" Paris")`.

        Raises:
            OptionError: if the position or the token does not exist, or top_k is below 1.
            WatchError: if a watch cannot be read, or names what the model does not have.
            StaleRunError: if the model's weights have changed since.
        """
        found = view(self, position, top_k, effect_on, head_tokens)
        return found.model_copy(update={"watches": self.watch(watches, position)}) if watches else found

    @exact
    def watch(self, watches: Sequence[str | Watch], position: int = -1) -> tuple[WatchPath, ...]:
        """Watches before and after every layer, and at the output.

        Args:
            watches: expressions, such as `p(" Paris")` or `L12D345`.
            position: the token position, from 0; negative ones count from the end.

        Raises:
            WatchError: if a watch cannot be read, or names what the model does not have.
            OptionError: if the position does not exist.
            StaleRunError: if the model's weights have changed since.
        """
        bound = [bind(each, self.model) if isinstance(each, str) else each for each in watches]
        return through_layers(self, bound, position)

    def __rich__(self) -> object:
        from lm_debugger.show.terminal import draw  # whoever only computes need not wait for it
        from lm_debugger.show.trace import trace as document

        return draw(document(self.view()))

    def _repr_html_(self) -> str:
        from lm_debugger.show.html import page
        from lm_debugger.show.trace import trace as document

        return page(document(self.view()))
