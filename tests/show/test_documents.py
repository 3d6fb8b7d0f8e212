"""Answers as documents: every noun in both back ends, and what is computed once for the two."""

import io
import re
from html.parser import HTMLParser

import pytest
from rich.cells import cell_len
from rich.console import Console

from lm_debugger import Debugger
from lm_debugger.records.calibration import CalibrationSummary, CoefficientRange
from lm_debugger.records.cluster import ClusterBrief, Clustering, ClusterMember, ClusterView
from lm_debugger.records.examination import Check, Examination, Part
from lm_debugger.records.generation import Continuation, GeneratedToken, Generation
from lm_debugger.records.search import SearchAnswer
from lm_debugger.records.token import PromotedToken, TokenScore
from lm_debugger.records.trace import TraceView
from lm_debugger.records.value import ClusterOfValue, SimilarValue, ValueView
from lm_debugger.show.calibration import calibration
from lm_debugger.show.clusters import cluster, clustering
from lm_debugger.show.document import Document, Span, Tone
from lm_debugger.show.examination import examination
from lm_debugger.show.generation import generation
from lm_debugger.show.html import page
from lm_debugger.show.search import search
from lm_debugger.show.terminal import draw
from lm_debugger.show.trace import rank_changes, trace
from lm_debugger.show.value import value

EVIL = "<b>&\x1b[31m\n שלום"  # what a name from outside may hold


class Text(HTMLParser):
    """The text of a page, and its tags, which must be balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self._open = "", set(), []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self._open.append(tag)
        self.text += "\t" if tag == "td" else ""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def printed(document: Document, width: int = 100) -> str:
    """What a terminal of this width without colours shows."""
    file = io.StringIO()
    Console(file=file, width=width, highlight=False, markup=False, emoji=False).print(draw(document))
    return file.getvalue()


def score(token: int) -> TokenScore:
    return TokenScore(id=token, text=f" t{token}", logit=1.0, probability=0.5)


@pytest.fixture(scope="module")
def view(demo: Debugger) -> TraceView:
    """A read-out with edits, a vector of which users have named."""
    view = demo.trace("My wife is working as a", ["L28D1328=40"]).view(top_k=5)
    layer = view.layers[28]
    values = tuple(found.model_copy(update={"name": EVIL}) for found in layer.values)
    named = layer.model_copy(update={"values": values})
    return view.model_copy(update={"layers": (*view.layers[:28], named, *view.layers[29:])})


def _value() -> Document:
    ends = tuple(PromotedToken(id=n, text=f" p{n}", logit=20.0 - n) for n in range(20))
    near = SimilarValue(value="L3D4", cosine=-0.25, promotes=(" near",))
    measured = CoefficientRange(
        low=-1.5, quantile_01=-1, quantile_99=2, high=3.25, mean=0.5, deviation=0.75, tokens=4096
    )
    return value(
        ValueView(
            value="L1D2", layer=1, expert=None, dimension=2, norm=4.5, outliers=0.01, promotes=ends, suppresses=ends,
            range=measured, similar=(near,), opposite=(near,),
            cluster=ClusterOfValue(id=7, name=EVIL, size=9, cosine=0.5),
        )
    )  # fmt: skip


def _clusters() -> tuple[Document, Document]:
    brief = ClusterBrief(id=0, name=EVIL, size=5, cohesion=0.5, promotes=(" first",), x=0, y=0, layer=1.5)
    made = Clustering(fingerprint="f", k=1, seed=0, value_vectors=9, cohesion=0.4, seconds=1, cached=False,
                      clusters=(brief,))  # fmt: skip
    ends = (PromotedToken(id=1, text=" first", logit=2.0),)
    one = ClusterView(
        brief=brief, k=1, seed=0, promotes=ends, suppresses=ends, layers=(0, 5), similar=(0,), opposite=(0, -0.5),
        members=(ClusterMember(value="L1D2", cosine=0.75, promotes=(" member",)),),
    )  # fmt: skip
    return clustering(made, 3), cluster(one, made)


def _generation() -> Document:
    def written(*words: str) -> tuple[GeneratedToken, ...]:
        return tuple(GeneratedToken(id=sum(map(ord, word)), text=word, logprob=-1.0) for word in words)

    return generation(
        Generation(
            prompt="p", text=" one two", tokens=written(" one", " two"), finish="length", interventions=("L1D2=off",),
            baseline=Continuation(text=" one", tokens=written(" one"), finish="end"), warnings=(EVIL,),
        )
    )  # fmt: skip


def _examination() -> Document:
    check = Check(invariant="I2", statement=EVIL, error=0.5, tolerance=1e-5, passed=False, layer=3)
    return examination(
        Examination(
            model=EVIL, architecture="Arch", fingerprint="abcd", supported=False, layers=2, value_vectors=9,
            formula=("x + A + F",), parts=(Part(role="mixer", path="model.layers.*.attn", detail="9 wide"),),
            checks=(check,), failures=("I2 fails in layer 3",), works=("the lens",), seconds={"probe": 1.25},
        )
    )  # fmt: skip


def test_both_back_ends_say_the_same(view: TraceView, demo: Debugger) -> None:
    found: SearchAnswer = demo.search("teacher, school", unwanted="child", limit=3)
    measured = CalibrationSummary(
        fingerprint="f", source=EVIL, tokens=4096, value_vectors=46080, seconds=2, cached=False
    )
    listed, one = _clusters()
    documents: dict[str, tuple[Document, tuple[str, ...]]] = {
        "trace": (trace(view, layers=range(28, 29)), ("edits", "L28D1328=40.0", "KL(no edits", "layer 28", "no edits")),
        "value": (_value(), ("L1D2", "promotes", "suppresses", "·p19", "L3D4", "-0.25", "on +3.25", "4,096")),
        "search": (search(found), ("without child: ", "46,080 value vectors searched", found.results[0].value, "=on")),
        "clusters": (listed, ("3 clusters", "cohesion", "·first", "2 more")),
        "cluster": (one, ("members, 1 of 5", "L1D2", "·member", "most opposite, cosine -0.50")),
        "generation": (_generation(), ("no edits", "edited", "first difference ▸ generated token 2", "(ended)")),
        "examination": (_examination(), ("✗ not supported", "I2 fails in layer 3", "5.0e-01", "model.layers.*.attn")),
        "calibration": (calibration(measured), ("46,080 coefficient ranges over 4,096 tokens", "in 2.0 s")),
    }
    for name, (document, says) in documents.items():
        shown, html = printed(document), Text(page(document))
        for words in says:
            assert words in shown, name
            assert words in html.text, name
        assert "\x1b" not in shown + html.text
        assert not html.tags & {"b", "script"}, name
        for width in (30, 80, 120):
            assert all(cell_len(line) <= width for line in printed(document, width).splitlines()), name


def test_the_overview_is_in_the_notebook_too(view: TraceView) -> None:
    document = trace(view)
    html = page(document)
    assert html.count("<details>") == len(view.layers) == 30
    closed = Text(re.findall(r"<summary>(.*?)</summary>", html)[28]).text
    layer = view.layers[28]
    for words in ("L28", layer.values[0].value, layer.before[0].text.strip(), layer.after[0].text.strip()):
        assert words in closed
    assert "≠ another token leads than without edits" in Text(html).text
    assert "≠ another token leads than without edits" in printed(document)


def test_rank_changes() -> None:
    before, after = [score(1), score(2), score(3)], [score(3), score(2), score(9), score(1)]
    assert rank_changes(after, before) == [
        Span("↑2", Tone.POSITIVE), None, Span("new", Tone.NOTICE), Span("↓3", Tone.NEGATIVE)
    ]  # fmt: skip
    assert rank_changes([], before) == []


def test_only_units_that_an_edit_names_are_marked(view: TraceView) -> None:
    names = [f"L28D{n}" for n in (13, 132, 1328, 13280)]
    values = tuple(view.layers[28].values[0].model_copy(update={"value": name, "name": None}) for name in names)
    layer = view.layers[28].model_copy(update={"values": values})
    html = page(trace(view.model_copy(update={"layers": (layer,), "baseline": None}), layers=range(28, 29)))
    assert re.findall(r"class='edited strong'>(L\d+D\d+)<", html) == ["L28D1328"]


def test_texts_from_right_to_left_are_not_set_side_by_side() -> None:
    def written(*words: str) -> tuple[GeneratedToken, ...]:
        return tuple(GeneratedToken(id=len(word), text=word, logprob=-9.0) for word in words)

    def shown(text: str) -> list[str]:
        both = Generation(
            prompt="p", text=text, tokens=written(text), finish="stop", interventions=("L1D2=on",),
            baseline=Continuation(text=" and", tokens=written(" and"), finish="stop"),
        )  # fmt: skip
        return printed(generation(both)).splitlines()

    assert any("no edits" in line and "edited" in line for line in shown(" or"))
    assert not any("no edits" in line and "edited" in line for line in shown(" שלום"))


def test_a_layer_in_full_lists_its_heads_before_its_updates(demo: Debugger) -> None:
    view = demo.trace("My wife is working as a").view(top_k=4)
    layer = view.layers[28]
    units = [*(found.head for found in layer.heads), *(found.value for found in layer.values)]
    assert len(units) == 8
    document = trace(view, layers=range(28, 29))
    for text in (printed(document), Text(page(document)).text):
        assert re.findall(r"L28[HD]\d+", text) == units
    none = view.model_copy(update={"layers": (layer.model_copy(update={"heads": ()}),)})
    assert "L28H" not in printed(trace(none, layers=range(28, 29)))
