"""Regular expressions of users: neither what is compiled nor what is matched can take the machine."""

import threading
from pathlib import Path

import pytest

from lm_debugger import Debugger
from lm_debugger.errors import CancelledError, OptionError
from lm_debugger.search.keywords import Forms, parse
from lm_debugger.work import Work
from tests.server.live import Process, error

from .measures import peak_memory

MIB = 1 << 20
HOSTILE = (
    r"/\p{L}{2000000000}/",
    "/a{2000000000}/",
    r"/(\p{L}{1000}){1000}/",
    "/((((((((a{10}){10}){10}){10}){10}){10}){10}){10})/",
    "/" + "(" * 900 + "a" + ")" * 900 + "/",
    "/(x+x+)+y/",
    "/(a|a|b)*(c|c|d)*$^/",
    ",".join([r"/\p{L}{50}zq/"] * 66),
    "/" + "[" * 1500,
    "/(/",
    "/(?<=a)b/",
    r"/(a)\1/",
)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: query[:24])
def test_a_pattern_takes_little_memory_and_is_answered(served: Process, query: str) -> None:
    served.client.get("/api/search", params={"q": "/ teacher$/"})  # what every search keeps
    before = peak_memory(served.process.pid)
    answer = served.client.get("/api/search", params={"q": query})
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 422:
        assert error(answer)["code"] in ("bad_option", "bad_request")
        assert error(answer)["cure"]
    assert peak_memory(served.process.pid) - before < 100 * MIB


def test_another_sites_image_cannot_search(served: Process) -> None:
    asked = {"q": "/a/"}
    for header in ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}, {"Origin": "https://evil.example"}):
        answer = served.client.get("/api/search", params=asked, headers=header)
        assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"):
        answer = served.client.request(method, "/api/health", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403


def test_too_many_patterns_are_refused_before_any_is_compiled() -> None:
    with pytest.raises(OptionError, match="17 regular expressions are more than 16"):
        parse(",".join(["/a/"] * 17))
    with pytest.raises(OptionError, match="65 keywords are more than 64"):
        parse(",".join(["a"] * 65))
    with pytest.raises(OptionError, match="more than 2,000"):
        parse("a" * 2001)


def test_what_patterns_may_say(demo: Debugger) -> None:
    forms = Forms(demo.model.vocabulary, demo.model.readout.vocabulary)
    (pattern,) = parse(r"/^ \p{Lu}\p{Ll}+ology$/")
    texts = {forms.text(form) for form in forms.find(pattern)}
    assert texts
    assert all(text.startswith(" ") and text[1].isupper() and text.endswith("ology") for text in texts)


def test_a_search_for_a_pattern_stops_when_nobody_wants_it(demo: Debugger) -> None:
    forms = Forms(demo.model.vocabulary, demo.model.readout.vocabulary)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        forms.find(parse("/x/")[0], Work(cancel=cancel))
