"""Clusters: who belongs where by brute force, the same again by seed, and nothing half-made is kept or believed."""

import threading
from pathlib import Path

import pytest
import torch
from torch import Tensor

import lm_debugger
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import CancelledError, NoClustersError, OptionError
from lm_debugger.records.cluster import Clustering
from lm_debugger.search.clusters import kmeans
from lm_debugger.search.clusters.book import KIND, VERSION
from lm_debugger.search.clusters.labels import automatic_name
from lm_debugger.store import cache
from lm_debugger.units.layout import Layout
from tests import zoo
from tests.tiny import debugger, tokenizer

pytestmark = pytest.mark.usefixtures("empty_cache")


def directions(tiny: Debugger) -> Tensor:
    """All value vectors of length 1, one by one."""
    layout = Layout(tiny.model)
    vectors = torch.stack([tiny.model.vector(layout.name(number)) for number in range(layout.vectors)])
    return torch.nn.functional.normalize(vectors)


def kept(tiny: Debugger) -> dict[str, Tensor]:
    """The arrays in the cache."""
    entry = cache.read(KIND, tiny.summary.fingerprint, VERSION)
    assert entry is not None
    return dict(entry.arrays)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "mixtral", "qwen2_moe"])
def test_every_vector_is_with_the_centre_it_is_closest_to(model_type: str) -> None:
    tiny = debugger(model_type)
    made = tiny.clusters(7)
    arrays, vectors = kept(tiny), directions(tiny)
    cosines = vectors.double() @ arrays["centres"].double().T
    best = cosines.max(-1)
    torch.testing.assert_close(arrays["assignment"].long(), best.indices)
    torch.testing.assert_close(arrays["cosine"].double(), best.values, rtol=0, atol=1e-5)
    torch.testing.assert_close(arrays["centres"].norm(dim=-1), torch.ones(made.k))
    assert made.value_vectors == tiny.summary.value_vectors == len(vectors)
    assert made.cohesion == pytest.approx(float(best.values.mean()), abs=1e-5)

    sizes = [brief.size for brief in made.clusters]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes) > 0
    assert [brief.id for brief in made.clusters] == list(range(made.k))
    layout = Layout(tiny.model)
    for brief in made.clusters:
        inside = best.indices == brief.id
        assert brief.size == int(inside.sum())
        assert brief.cohesion == pytest.approx(float(best.values[inside].mean()), abs=1e-5)
        layers = [layout.name(number).layer for number in inside.nonzero()[:, 0].tolist()]
        assert brief.layer == pytest.approx(sum(layers) / len(layers))
        assert 0 <= brief.x <= 1
        assert 0 <= brief.y <= 1
        view = tiny.cluster(brief.id, members=1000)
        assert view.layers == tuple(layers.count(layer) for layer in range(tiny.summary.layers))
        assert len(view.members) == brief.size
        assert [m.cosine for m in view.members] == sorted((m.cosine for m in view.members), reverse=True)
        numbers = {str(layout.name(number)): number for number in inside.nonzero()[:, 0].tolist()}
        for member in view.members:
            assert member.cosine == pytest.approx(float(best.values[numbers[member.value]]), abs=1e-5)


def test_what_a_cluster_promotes_is_what_its_centre_promotes() -> None:
    tiny = debugger("gpt2")
    tiny.clusters(5)
    centres = kept(tiny)["centres"]
    logits = tiny.model.readout.project(centres)
    cosines = centres @ centres.T
    for number in range(5):
        view = tiny.cluster(number, members=3)
        top, bottom = logits[number].topk(50), logits[number].topk(50, largest=False)
        assert [token.id for token in view.promotes] == top.indices.tolist()
        assert [token.id for token in view.suppresses] == bottom.indices.tolist()
        assert [token.logit for token in view.promotes] == pytest.approx(top.values.tolist(), rel=1e-4)
        assert view.brief.promotes == tuple(token.text for token in view.promotes[:8])
        others = sorted((o for o in range(5) if o != number), key=lambda o: -float(cosines[number, o]))
        assert view.similar == tuple(others)
        assert view.opposite == (others[-1], pytest.approx(float(cosines[number, others[-1]]), abs=1e-5))
        assert len(view.members) == min(3, view.brief.size)
        assert view.members[0].promotes == tuple(t.text for t in tiny.value(view.members[0].value, top_k=8).promotes)


def test_opposite_vectors_are_not_together() -> None:
    """A vector and its negative point in different directions, though they write about the same tokens."""
    network = zoo.make("llama")
    generator = torch.Generator().manual_seed(1)
    axes = torch.randn(2, network.config.hidden_size, generator=generator)
    for layer in network.model.layers:
        weight = layer.mlp.down_proj.weight
        signs = torch.where(torch.arange(weight.shape[1]) % 2 == 0, 1.0, -1.0)
        noise = 0.01 * torch.randn(weight.shape, generator=generator)
        which = (torch.arange(weight.shape[1]) // 2) % 2
        weight.data = (axes[which] * signs[:, None]).T + noise
    tiny = lm_debugger.load(network, tokenizer(96))
    # Random first centres may share a direction, so a few more are made than there are directions.
    tiny.clusters(8)
    names: dict[int, set[tuple[int, int]]] = {}
    layout = Layout(tiny.model)
    for number, cluster in enumerate(kept(tiny)["assignment"].tolist()):
        dimension = layout.name(number).dimension
        names.setdefault(cluster, set()).add((dimension % 2, dimension // 2 % 2))
    assert all(len(kinds) == 1 for kinds in names.values())


def test_a_vector_of_length_zero_belongs_nowhere() -> None:
    network = zoo.make("llama")
    for layer in network.model.layers:
        layer.mlp.down_proj.weight.data[:, 3] = 0
    tiny = lm_debugger.load(network, tokenizer(96))
    vectors = tiny.summary.value_vectors
    made = tiny.clusters(6)
    assert made.value_vectors == vectors - 3
    assert sum(brief.size for brief in made.clusters) == vectors - 3
    assert tiny.value("L1D3").cluster is None
    assert tiny.value("L1D4").cluster is not None
    assert int((kept(tiny)["assignment"] == -1).sum()) == 3
    everything = sum(len(tiny.cluster(brief.id, members=vectors).members) for brief in made.clusters)
    assert everything == vectors - 3
    with pytest.raises(OptionError, match=f"2 to {vectors - 3}"):
        tiny.clusters(vectors)


def same(one: Clustering, other: Clustering) -> bool:
    return one.model_copy(update={"seconds": 0, "cached": True}) == other.model_copy(
        update={"seconds": 0, "cached": True}
    )


def test_the_same_seed_gives_the_same_clusters() -> None:
    tiny = debugger("mixtral")
    first = tiny.clusters(9, 3)
    assert (first.cached, first.seed) == (False, 3)
    assert first.seconds > 0
    again = tiny.clusters(9, 3, force=True)
    assert not again.cached
    assert same(first, again)
    assert not same(first, tiny.clusters(9, 4))


def test_known_clusters_are_replaced_only_when_asked() -> None:
    tiny = debugger("llama")
    assert tiny.known_clusters() is None
    assert tiny.value("L1D5").cluster is None
    with pytest.raises(NoClustersError, match="POST /api/clusters"):
        tiny.cluster(0)
    made = tiny.clusters(6, 2)
    for one in (tiny, debugger("llama")):  # in memory, and from the cache
        for known in (one.clusters(), one.clusters(6), one.clusters(seed=2), one.known_clusters()):
            assert known is not None
            assert known.cached
            assert same(known, made)
        belongs = one.value("L1D5").cluster
        assert belongs is not None
        brief = made.clusters[belongs.id]
        assert (belongs.name, belongs.size) == (brief.name, brief.size)
        members = {member.value: member.cosine for member in one.cluster(belongs.id, members=1000).members}
        assert members["L1D5"] == pytest.approx(belongs.cosine)
    other = tiny.clusters(4)
    assert (other.cached, other.k, other.seed) == (False, 4, 0)
    assert debugger("llama").clusters().k == 4
    assert debugger("llama", seed=5).known_clusters() is None, "another model's"


def test_numbers_that_cannot_be() -> None:
    tiny = debugger("llama")
    vectors = tiny.summary.value_vectors
    for k in (-1, 0, 1, vectors + 1):
        with pytest.raises(OptionError, match=f"2 to {vectors}"):
            tiny.clusters(k)
    for seed in (-1, 2**31):
        with pytest.raises(OptionError, match="seed"):
            tiny.clusters(3, seed)
    assert tiny.known_clusters() is None
    with pytest.raises(OptionError, match="fewer than 2"):
        kmeans.check_k(2, 1)
    for k in (2, 3, vectors):
        made = tiny.clusters(k)
        assert 1 <= made.k <= k
        assert sum(brief.size for brief in made.clusters) == vectors
        assert all(0 <= at <= 1 for brief in made.clusters for at in (brief.x, brief.y))
        assert tiny.clusters(k).cached
    assert made.cohesion == pytest.approx(1, abs=1e-4), "each vector is its own cluster"
    for wrong in (-1, made.k):
        with pytest.raises(OptionError, match="no cluster"):
            tiny.cluster(wrong)
    with pytest.raises(OptionError, match="members"):
        tiny.cluster(0, members=-1)


def test_a_round_number_of_clusters_by_default() -> None:
    assert [kmeans.default_k(vectors) for vectors in (1, 144, 46_080, 10_000_000)] == [2, 3, 1000, 3000]
    assert debugger("llama").clusters().k == 3


@pytest.mark.parametrize("stop_at", ["Reading value vectors", "Clustering", "Assigning", "Naming", "Drawing"])
def test_progress_and_cancel_at_every_step(stop_at: str) -> None:
    tiny, cancel = debugger("llama"), threading.Event()
    steps: list[str] = []

    def progress(step: str, done: int, total: int) -> None:
        assert done <= total or total == 0
        steps.append(step)
        if step.startswith(stop_at):
            cancel.set()

    with pytest.raises(CancelledError):
        tiny.clusters(5, progress=progress, cancel=cancel)
    assert steps[-1].startswith(stop_at)
    assert tiny.known_clusters() is None
    assert debugger("llama").known_clusters() is None
    cancel.clear()
    assert not tiny.clusters(5).cached


def test_centres_of_a_large_model_come_from_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = debugger("mixtral")
    hidden, vectors = tiny.summary.hidden_size, tiny.summary.value_vectors
    monkeypatch.setattr(kmeans, "SAMPLE_BYTES", 4 * hidden * 60)
    monkeypatch.setattr(kmeans, "ROWS", 7)
    trained = []
    train = kmeans.train
    monkeypatch.setattr(kmeans, "train", lambda sample, *rest: trained.append(sample.clone()) or train(sample, *rest))
    made = tiny.clusters(8)
    (sample,) = trained
    everything = directions(tiny)
    assert sample.shape == (60, hidden)
    places = [int((everything - row).norm(dim=-1).argmin()) for row in sample]
    torch.testing.assert_close(everything[places], sample, rtol=1e-5, atol=1e-6)
    assert len(set(places)) == 60
    assert places[0] < vectors / 4 < 3 * vectors / 4 < places[-1], "from the whole network"
    assert made.value_vectors == vectors
    best = (everything @ kept(tiny)["centres"].T).argmax(-1)
    torch.testing.assert_close(kept(tiny)["assignment"].long(), best)
    assert same(made, tiny.clusters(8, force=True))
    with pytest.raises(OptionError, match="2 to 60"):
        tiny.clusters(61)


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "other"])
def test_a_damaged_cache_is_made_again(empty_cache: Path, harm: str) -> None:
    made = debugger("llama").clusters(5)
    file = empty_cache / KIND / f"{made.fingerprint}.safetensors"
    content = bytearray(file.read_bytes())
    if harm == "cut":
        content = content[: len(content) // 2]
    elif harm == "flipped":
        content[-3] ^= 0x40
    elif harm == "emptied":
        content = bytearray()
    else:  # a whole file, but of a model with other vectors
        entry = cache.read(KIND, made.fingerprint, VERSION)
        assert entry is not None
        cache.write(KIND, made.fingerprint, VERSION, {**entry.arrays, "assignment": torch.zeros(3)}, entry.text)
        content = bytearray(file.read_bytes())
    file.write_bytes(content)
    tiny = debugger("llama")
    assert tiny.known_clusters() is None
    assert tiny.value("L1D5").cluster is None
    again = tiny.clusters(5)
    assert not again.cached
    assert same(again, made)
    assert debugger("llama").clusters(5).cached


@pytest.mark.parametrize(
    ("tokens", "name"),
    [
        ([" teacher", "Teacher", " teachers", " school", " pupil", " class"], "teacher · school · pupil"),
        ([",", " and", ".", "\n"], ", · and · ."),
        ([" (", " x", "(", "\n", "[["], "( · x · [["),
        ([" of", " water", " sea", " the"], "water · sea · the"),
        (["  ", "\n", ")"], ")"),
        ([" ", "\n"], "  · \n"),
        ([" één", "日本語", "день"], "één · 日本語 · день"),
    ],
)
def test_names_are_made_of_words(tokens: list[str], name: str) -> None:
    assert automatic_name(tokens) == name


def test_clusters_of_the_demo_model(demo: Debugger, empty_cache: Path) -> None:
    tiny = Debugger(demo.model, lambda model: model)  # one that knows no clusters
    made = tiny.clusters(40)
    assert made.k == 40
    assert made.value_vectors == 46_080
    assert made.cohesion > 0.12
    belongs = tiny.value("L12D345").cluster
    assert belongs is not None
    view = tiny.cluster(belongs.id, members=belongs.size)
    assert "L12D345" in {member.value for member in view.members}
    assert sum(view.layers) == belongs.size
    assert (empty_cache / KIND / f"{made.fingerprint}.safetensors").exists()
