"""What can be asked of weights alone, loaded or on disk: search, value vectors, clusters."""

import threading
from collections.abc import Sequence

from lm_debugger.debugger.verb import verb
from lm_debugger.edits.validate import check_name
from lm_debugger.errors import OptionError, ValueNameError
from lm_debugger.lenses.book import LensBook, Named
from lm_debugger.lenses.projection import MOST, End
from lm_debugger.lenses.source import ValueSource
from lm_debugger.records.calibration import CoefficientRange
from lm_debugger.records.cluster import Clustering, ClusterView
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.names import UnitName, numbered, read_layers, read_unit
from lm_debugger.records.search import AnySign, Combine, Filter, Query, SearchAnswer
from lm_debugger.records.value import ValueView
from lm_debugger.search.clusters import book
from lm_debugger.search.index import Index
from lm_debugger.work import Progress, Work, silent


class Weights:
    """The value vectors of one model. What `lm_debugger.open_weights` returns, and a part of every `Debugger`.

    Args:
        source: a loaded model, or one whose weights stay on disk.
        progress: told of long work.
    """

    _loaded = False  # whether the source is a model in memory

    def __init__(self, source: ValueSource, progress: Progress = silent) -> None:
        self._progress = progress
        self._default_lens: Named = LOGIT
        self._bind(source)

    def _bind(self, source: ValueSource) -> None:
        self._source = source
        self._lenses = LensBook(source, whole=self._loaded)
        self._lenses.default = self._default_lens
        self._index = Index(source, self._lenses.plain)
        self._clusters = book.ClusterBook(source, self._lenses.plain.projections)

    def refresh(self) -> None:
        """Take note of changed weights: those on disk do not change while they are open."""

    def use_lens(self, lens: Named) -> None:
        """Read through this lens wherever none is named.

        Raises:
            LensError: if there is no such lens.
        """
        self._lenses.reading(lens)
        self._lenses.default = self._default_lens = lens

    @property
    def fingerprint(self) -> str:
        """Identifies architecture and weights."""
        return self._source.fingerprint

    @verb
    def search(
        self,
        query: str = "",
        *,
        unwanted: str = "",
        like: str | UnitName | None = None,
        match: Combine = "all",
        skip: Sequence[str] = (),
        layers: str | range | None = None,
        sign: AnySign = "both",
        expert: int | None = None,
        among: Sequence[str | UnitName] | None = None,
        limit: int = 20,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> SearchAnswer:
        """Search every value vector of the network for keywords, or for the likes of one vector.

        Args:
            query: keywords, with commas between: `teacher, school`, `teach*`, `"New York"`, `/^ un.*able$/`.
            unwanted: keywords that count against a vector.
            like: a vector, instead of keywords.
            match: `all` for the mean z over the keywords, `any` for the largest.
            skip: keys of forms of the keywords that do not count (see the answer's `keywords`).
            layers: only these, such as `10-20`.
            sign: only vectors that do it with a coefficient of this sign.
            expert: only the experts of this index.
            among: only these vectors.
            limit: how many to return, 1 to 1,000.
            lens: through which vectors are seen: `logit`, the name of a lens that is kept, or the path of a lens file;
                the debugger's own if left out.
            progress: told of the statistics, which are measured on first use, and of the search.

        Raises:
            OptionError: if a keyword matches no token, or an option is out of range.
            ValueNameError: if a vector does not exist.
            LensError: if there is no such lens.
            CancelledError: if cancelled.
        """
        sought = Query(
            keywords=query,
            unwanted=unwanted,
            match=match,
            skip=tuple(skip),
            like=None if like is None else _parsed(like),
        )
        return self.find_values(
            sought, self._filter(layers, sign, expert, among, limit), lens=lens, progress=progress, cancel=cancel
        )

    @verb
    def find_values(
        self,
        query: Query,
        among: Filter | None = None,
        *,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> SearchAnswer:
        """As `search`, with what is searched for and which vectors may be found as records."""
        if query.like is not None:
            self._check(query.like)
        reading = self._lenses.reading(lens)
        return self._index.search(query, self._checked(among or Filter()), self._work(progress, cancel), reading)

    @property
    def can_search_at_once(self) -> bool:
        """Whether the statistics that a search needs are measured and in memory."""
        return self.can_search_through(None)

    def can_search_through(self, lens: str | None) -> bool:
        """The same for a search through a lens (None: through the default one)."""
        held = self._lenses.held(lens)
        return held is not None and self._index.prepared(held.lens)

    @verb
    def value(
        self,
        name: str | UnitName,
        *,
        top_k: int = MOST,
        similar: int = 10,
        lens: Named | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> ValueView:
        """What a value vector promotes and suppresses, its neighbours, and its coefficient's range once calibrated.

        Args:
            name: such as `L12D345`.
            top_k: how many tokens on each side, 1 to 50.
            similar: how many of the closest and of the most opposite vectors, 0 to 50.
            lens: as for `search`; what is close does not depend on it.
            progress: told of the search for those.
            cancel: set it to stop.

        Raises:
            ValueNameError: if the model has no such vector.
            OptionError: if top_k is out of range.
            CancelledError: if cancelled.
        """
        found = _parsed(name)
        self._check(found)
        if not 1 <= top_k <= MOST:
            raise OptionError(f"top_k is {top_k}.", f"It must be from 1 to {MOST}.")
        if not 0 <= similar <= MOST:
            raise OptionError(f"similar is {similar}.", f"It must be from 0 to {MOST}.")
        reading = self._lenses.reading(lens)
        near, far = (
            ((), ()) if not similar else self._index.neighbours(found, similar, self._work(progress, cancel), reading)
        )
        return ValueView(
            value=str(found),
            layer=found.layer,
            expert=numbered(found, "E"),
            dimension=found.numbers[-1],
            norm=float(self._source.vector(found).norm()),
            outliers=reading.projections.outliers(found),
            promotes=reading.projections.tokens(End(found), top_k),
            suppresses=reading.projections.tokens(End(found, negative=True), top_k),
            range=self._known_range(found),
            similar=near,
            opposite=far,
            cluster=self._clusters.of(found),
            lens=reading.name,
        )

    @verb
    def clusters(
        self,
        k: int | None = None,
        seed: int | None = None,
        *,
        force: bool = False,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Clustering:
        """Group all value vectors by direction (spherical k-means). Kept in the cache.

        Args:
            k: number of clusters; None for those that are known, else one for each 46 vectors, 3,000 at most.
            seed: of the clustering; None for those that are known, else 0.
            force: make them again although they are known. Clusters of another k or seed take the place of known ones.
            progress: told of the work.
            cancel: set it to stop.

        Raises:
            OptionError: if k is not from 2 to the number of vectors, or the seed is negative.
            CancelledError: if cancelled.
        """
        return self._clusters.make(k, seed, force=force, work=self._work(progress, cancel))

    @verb
    def known_clusters(self) -> Clustering | None:
        """The clusters that were made of this model, or None."""
        return self._clusters.known()

    @verb
    def cluster(self, number: int, *, members: int = book.MEMBERS) -> ClusterView:
        """One cluster: what its centre promotes and suppresses, its members, where they are, clusters like it.

        Args:
            number: its id in the clustering.
            members: how many members to list at most, the closest to the centre first.

        Raises:
            NoClustersError: if no clusters were made.
            OptionError: if there is no such cluster, or members is negative.
        """
        return self._clusters.view(number, members)

    def _work(self, progress: Progress | None, cancel: threading.Event | None) -> Work:
        """What a caller wants to be told, else what the debugger tells."""
        return Work(progress or self._progress, cancel)

    def _filter(
        self,
        layers: str | range | None,
        sign: AnySign,
        expert: int | None,
        among: Sequence[str | UnitName] | None,
        limit: int,
    ) -> Filter:
        return Filter(
            layers=read_layers(layers) if isinstance(layers, str) else layers,
            sign=sign,
            expert=expert,
            among=None if among is None else tuple(map(_parsed, among)),
            limit=limit,
        )

    def _checked(self, among: Filter) -> Filter:
        """The filter, whose vectors the model has."""
        for name in among.among or ():
            self._check(name)
        return among

    def _check(self, name: UnitName) -> None:
        """Raise ValueNameError unless the model has a value vector of this name."""
        check_name(name, self._source)
        if name.letters not in {extent.letters for extent in self._source.vectors(name.layer)}:
            raise ValueNameError(f"{name} is no value vector.", "Write the layer and the dimension as in L12D345.")

    def _known_range(self, _name: UnitName) -> CoefficientRange | None:
        """The range of a vector's coefficient, where coefficients can be measured and were."""
        return None


def _parsed(name: str | UnitName) -> UnitName:
    return read_unit(name) if isinstance(name, str) else name
