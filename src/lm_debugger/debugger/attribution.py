"""The verbs that ask for causes: what `Debugger` adds to tracing."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

from lm_debugger.attribution import why as answering
from lm_debugger.attribution.choose import Wanted, ablation_kind, chosen, estimate_method
from lm_debugger.attribution.flow import flow
from lm_debugger.attribution.graph import graph
from lm_debugger.attribution.heads import table
from lm_debugger.attribution.means import means
from lm_debugger.attribution.patch import patch
from lm_debugger.attribution.path import THROUGH, paths
from lm_debugger.attribution.question import Word
from lm_debugger.attribution.reference import resampled
from lm_debugger.debugger.trace import Trace
from lm_debugger.engine.guard import exact
from lm_debugger.lenses.book import Named
from lm_debugger.records.attention import HeadTable
from lm_debugger.records.edit import Edit
from lm_debugger.records.flow import Flow
from lm_debugger.records.graph import AttributionGraph
from lm_debugger.records.names import read_layers
from lm_debugger.records.patch import PatchMap, PatchPart
from lm_debugger.records.path import PathMap, Through
from lm_debugger.records.why import Ablation, EstimateMethod, Why
from lm_debugger.source.vocabulary import Prompt
from lm_debugger.work import Progress, Work


class Attribution(ABC):
    """A part of `Debugger`: who wrote a prediction."""

    @abstractmethod
    def trace(
        self,
        prompt: Prompt,
        interventions: Sequence[str | Edit] = (),
        *,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Trace:
        """See `Debugger`."""

    @abstractmethod
    def _work(self, progress: Progress | None, cancel: threading.Event | None) -> Work:
        """See `Debugger`."""

    @exact
    def why(
        self,
        prompt: Prompt,
        target: Word | None = None,
        against: Word | None = None,
        position: int = -1,
        interventions: Sequence[str | Edit] = (),
        *,
        top_k: int = 20,
        layers: str | range | None = None,
        estimate: bool | EstimateMethod = True,
        verify: int = 0,
        ablate: Ablation | None = None,
        resample: Prompt | None = None,
        sources: bool = False,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Why:
        """Who wrote this token, rather than another: every part of the model by its direct effect, adding up exactly.

        Args:
            prompt: a text, or token ids.
            target: a token (its text with its leading space, or its id); None for the most probable one.
            against: a token to compare with; None for the target's logit alone, or where no target is given either,
                for the runner-up.
            position: the position that predicts the token; negative ones count from the end.
            interventions: edits in force.
            top_k: how many parts to list.
            layers: list only parts of these layers, such as `10-20`; the others count as rest.
            estimate: also estimate what the difference would lose without each part: `gradient` and `relevance` from
                one backward pass, `integrated` from several; True for the default.
            verify: measure that for so many parts, those with the largest estimates, by ablating each of them. They are
                listed beside the `top_k`.
            ablate: what takes the place of an ablated part at all positions: `zero` (the default); its `mean` over text
                that the model writes, measured on first use; or its value in another run (`resample`, the default where
                one is given), at the positions that stand for each other (texts of different lengths are aligned at
                the tokens that differ). Estimates are of the same.
            resample: the prompt of that run.
            sources: also tell what each listed head brought from each token; runs the prompt once more.
            lens: through which what the parts promote is read, as for `trace`. Effects are direct under every lens.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError: if a word is no token, or something is out of range; otherwise as `trace`.
        """
        among = read_layers(layers) if isinstance(layers, str) else layers
        method = estimate_method(estimate)
        kind = ablation_kind(ablate, given=resample is not None)
        wanted = Wanted(top_k, among, method, verify, sources)
        run = self.trace(prompt, interventions, lens=lens, progress=progress, cancel=cancel)
        work = self._work(progress, cancel)
        ablated = answering.Ablated()
        if kind == "mean" and (method or verify):
            ablated = answering.Ablated("mean", means(run.model, work))
        elif resample is not None:
            other = self.trace(resample, progress=progress, cancel=cancel)
            text = other.model.vocabulary.written(other.ids)
            ablated = answering.Ablated("resample", resampled(run, other), text)
        return answering.why(run, target, against, position, wanted=wanted, ablated=ablated, work=work)

    @exact
    def heads(
        self,
        prompt: Prompt,
        position: int = -1,
        interventions: Sequence[str | Edit] = (),
        *,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> HeadTable:
        """All heads of a prompt: what each writes at a position, and how it attends.

        Args:
            prompt: a text, or token ids.
            position: where to read what they write; negative ones count from the end.
            interventions: edits in force.
            lens: through which what they promote is read, as for `trace`.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError: if the position does not exist; otherwise as `trace`.
        """
        run = self.trace(prompt, interventions, lens=lens, progress=progress, cancel=cancel)
        return table(run, position, self._work(progress, cancel))

    @exact
    def flow(
        self,
        prompt: Prompt,
        position: int = -1,
        threshold: float = 0.04,
        interventions: Sequence[str | Edit] = (),
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Flow:
        """How information flows to a prediction: the edges between tokens and layers that contribute most.

        Args:
            prompt: a text, or token ids.
            position: whose prediction; negative ones count from the end.
            threshold: contributions below it are left out; above 0, at most 1.
            interventions: edits in force.
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError: if the position does not exist or the threshold is out of range; otherwise as `trace`.
        """
        run = self.trace(prompt, interventions, progress=progress, cancel=cancel)
        return flow(run, position, threshold, self._work(progress, cancel))

    @exact
    def attribution_graph(
        self,
        prompt: Prompt,
        position: int = -1,
        threshold: float = 0.04,
        interventions: Sequence[str | Edit] = (),
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> AttributionGraph:
        """The flow to a prediction as a graph of heads and feed-forwards, in the schema that graph viewers read.

        Arguments and errors as for `flow`. `graph.model_dump_json()` is the file for Neuronpedia or circuit-tracer.
        """
        run = self.trace(prompt, interventions, progress=progress, cancel=cancel)
        return graph(run, flow(run, position, threshold, self._work(progress, cancel), through=True))

    @exact
    def patch(
        self,
        prompt: Prompt,
        source: Prompt,
        part: PatchPart = "residual",
        target: Word | None = None,
        against: Word | None = None,
        position: int = -1,
        interventions: Sequence[str | Edit] = (),
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> PatchMap:
        """Replace parts of a run, one at a time, by those of another prompt's run, and read the difference again.

        Args:
            prompt: a text, or token ids.
            source: the other prompt. Texts of different lengths are aligned at the tokens that differ.
            part: what is replaced: `residual`, `attention` or `ffn` at each layer and position, or each of the `heads`
                at all positions.
            target, against: as for `why`; without both, the prompt's top token against the other prompt's.
            position: where the difference is read; negative ones count from the end.
            interventions: edits in force in the prompt's run (not in the other).
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            OptionError: if something is out of range; otherwise as `trace`.
        """
        run = self.trace(prompt, interventions, progress=progress, cancel=cancel)
        other = self.trace(source, progress=progress, cancel=cancel)
        return patch(run, other, target, against, position, part, self._work(progress, cancel))

    @exact
    def path_patch(
        self,
        prompt: Prompt,
        source: Prompt,
        receiver: str,
        sender: str = "heads",
        target: Word | None = None,
        against: Word | None = None,
        position: int = -1,
        interventions: Sequence[str | Edit] = (),
        *,
        through: Through = "nothing",
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> PathMap:
        """Let one part read another prompt's value of an earlier part, all between them held, and read the difference.

        Args:
            prompt: a text, or token ids.
            source: the other prompt; aligned as for `patch`.
            receiver: the part that reads: `L12H3` (its queries, keys and values), `L12D345`, `L12 attention`,
                `L12 ffn`, or `output` for the last residual stream.
            sender: the part that is read, of the same names, or `embedding`; or all `heads` or `ffn` before the
                receiver, one by one.
            target, against, position, interventions: as for `patch`.
            through: what is computed anew between them: `nothing`, or the feed-forwards (`ffn`, as Wang et al. do).
            progress: told how far it is.
            cancel: set it to stop.

        Raises:
            ValueNameError, OptionError: if a part does not exist, or does not come before the other; otherwise as
                `trace`.
        """
        chosen(through, THROUGH, "through")
        run = self.trace(prompt, interventions, progress=progress, cancel=cancel)
        other = self.trace(source, progress=progress, cancel=cancel)
        work = self._work(progress, cancel)
        return paths(run, other, target, against, position, sender, receiver, through, work)
