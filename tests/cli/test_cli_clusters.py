"""`lm-debugger clusters`: the list, one cluster, JSON, and what is refused."""

from pathlib import Path

import pytest

from lm_debugger.records.cluster import Clustering, ClusterView
from tests import zoo
from tests.cli.runner import Run
from tests.tiny import tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model's folder."""
    path: Path = tmp_path_factory.mktemp("model") / "tiny"
    zoo.make("llama").save_pretrained(path)
    tokenizer(96).save_pretrained(path)
    return str(path)


@pytest.mark.usefixtures("empty_cache")
def test_list_and_one_cluster(run: Run, folder: str) -> None:
    made = run("clusters", "--model", folder, "--k", "6", "--json")
    assert made.status == 0, made.err
    everything = Clustering.model_validate_json(made.out)
    assert (everything.k, everything.cached) == (6, False)

    shown = run("clusters", "--model", folder, "--limit", "4")
    assert shown.status == 0, shown.err
    assert "6 clusters" in shown.out
    assert "2 more" in shown.out
    for brief in everything.clusters[:4]:
        assert brief.name in shown.out

    tight = Clustering.model_validate_json(run("clusters", "--model", folder, "--sort", "cohesion", "--json").out)
    assert tight.cached
    assert [c.cohesion for c in tight.clusters] == sorted((c.cohesion for c in everything.clusters), reverse=True)
    low = Clustering.model_validate_json(run("clusters", "--model", folder, "--sort", "layer", "--json").out)
    assert [c.layer for c in low.clusters] == sorted(c.layer for c in everything.clusters)
    word = everything.clusters[2].promotes[0]
    found = Clustering.model_validate_json(run("clusters", "--model", folder, "--find", word.upper(), "--json").out)
    assert 2 in {c.id for c in found.clusters}
    assert all(any(word in text for text in (c.name, *c.promotes)) for c in found.clusters)
    assert "no cluster" in run("clusters", "--model", folder, "--find", "nothing like it").out

    ran = run("clusters", "2", "--model", folder, "--members", "3", "--json")
    view = ClusterView.model_validate_json(ran.out)
    assert view.brief == everything.clusters[2]
    one = run("clusters", "2", "--model", folder, "--members", "3")
    assert one.status == 0, one.err
    assert f"members, 3 of {view.brief.size}" in one.out
    for member in view.members:
        assert member.value in one.out


@pytest.mark.usefixtures("empty_cache")
def test_what_is_refused(run: Run, folder: str) -> None:
    for arguments, says in (
        (("--k", "1"), "2 to 144"),
        (("--k", "145"), "2 to 144"),
        (("--seed", "-1"), "seed"),
        (("99",), "no cluster 99"),
    ):
        ran = run("clusters", *arguments, "--model", folder)
        assert ran.status == 2
        assert says in " ".join(ran.err.split())
        assert ran.out == ""
    assert run("clusters", "--limit", "0").status == 2
    assert run("clusters", "--sort", "colour").status == 2
