"""Users' names are joined to answers wherever a unit's own name stands in them."""

from lm_debugger.records.base import Record
from lm_debugger.records.cluster import ClusterBrief, ClusterMember, ClusterView
from lm_debugger.records.naming import with_names
from lm_debugger.records.saved import NamedValue
from lm_debugger.records.value import ClusterOfValue, SimilarValue
from tests.tiny import shared

NAMES = {"L0D3": "three", "L1H2": "a head"}


class Head(Record):
    """A unit of another kind."""

    head: str
    name: str | None = None


class Heads(Record):
    """Where it may lie."""

    groups: tuple[tuple[str, int], ...] = ()
    heads: tuple[Head, ...] = ()
    best: Head | None = None


def test_every_layer_of_a_trace_with_edits_and_without() -> None:
    view = shared("llama").trace([5, 6, 7], ["L0D3=2"]).view(top_k=50)
    named = with_names(view, NAMES)
    assert view.baseline is not None
    assert named.baseline is not None
    for before, after in ((view.layers, named.layers), (view.baseline.layers, named.baseline.layers)):
        found = {update.value: update.name for layer in after for update in layer.values}
        assert found["L0D3"] == "three"
        assert {name for value, name in found.items() if value != "L0D3"} == {None}
        assert all(update.name is None for layer in before for update in layer.values), "the answer itself is unchanged"
    assert with_names(view, {}) is view


def test_search_neighbours_and_members() -> None:
    tiny = shared("llama")
    results = with_names(tiny.search("w7", limit=1000), NAMES).results
    assert [result.value for result in results if result.name == "three"] == ["L0D3"]
    near = SimilarValue(value="L0D3", cosine=0.5, promotes=())
    cluster = ClusterOfValue(id=0, name="its own", size=2, cosine=0.5)
    view = tiny.value("L0D3").model_copy(update={"opposite": (near,), "cluster": cluster})
    whole = with_names(NamedValue(**{field: getattr(view, field) for field in type(view).model_fields}), NAMES)
    assert (whole.name, whole.opposite[0].name) == ("three", "three")
    assert whole.cluster == cluster
    brief = ClusterBrief(id=0, name="its own", size=1, cohesion=1, promotes=(), x=0, y=0, layer=0)
    members = (ClusterMember(value="L0D3", cosine=1, promotes=()),)
    group = ClusterView(
        brief=brief, k=1, seed=0, promotes=(), suppresses=(), members=members, layers=(1,), similar=(), opposite=None
    )
    named = with_names(group, NAMES)
    assert (named.brief, named.members[0].name) == (brief, "three")


def test_units_of_any_kind() -> None:
    head = Head(head="L1H2")
    named = with_names(Heads(groups=(("L1H2", 1),), heads=(head, Head(head="L0H0")), best=head), NAMES)
    assert [found.name for found in named.heads] == ["a head", None]
    assert named.best == Head(head="L1H2", name="a head")
    assert named.groups == (("L1H2", 1),)
