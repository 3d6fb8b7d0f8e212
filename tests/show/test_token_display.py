"""Token text in cells and in HTML: whatever a token holds, the layout holds."""

import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lm_debugger import Debugger
from lm_debugger.records.visible import printable, visible
from lm_debugger.show.cells import bar, fit
from lm_debugger.show.html import page
from lm_debugger.show.numbers import percent, signed
from lm_debugger.show.trace import trace as document

ISOLATES = "\u2068\u2069"  # added around right-to-left text, not part of the token


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" the", "·the"),
        ("\n\n", "↵↵"),
        ("a\tb\r", "a⇥b␍"),
        ("\x1b[31m", "␛[31m"),
        ("\x7f\x85", "␡\\x85"),
        ("\u200d\ufeff", "\\u200d\\ufeff"),
        ("\xa0\u3000", "\\xa0\\u3000"),
        ("\u202eabc", "\\u202eabc"),
        ("\u0301", "◌\u0301"),
        ("[red]", "[red]"),
        ("", ""),
    ],
)
def test_invisible_characters_are_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_shown_text_is_one_line_without_invisible_characters(text: str) -> None:
    for shown in (visible(text), printable(text).replace("\n", "").replace(" ", "")):
        assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}
        shown.encode("utf-8")


@given(st.text(), st.integers(1, 30))
def test_a_cell_never_grows_beyond_its_width(text: str, width: int) -> None:
    cell = fit(text, width)
    assert cell_len(cell) <= width
    assert cell.strip(ISOLATES).removesuffix("…") in visible(text)


@given(st.floats(0, 1), st.integers(0, 80))
def test_a_bar_is_as_long_as_its_fraction(fraction: float, width: int) -> None:
    assert abs(len(bar(fraction, width)) - fraction * width) <= 1


@given(st.floats(0, 1), st.floats(-1e30, 1e30).filter(lambda x: x == 0 or abs(x) > 1e-99))
def test_numbers_fit_their_columns(probability: float, number: float) -> None:
    assert len(percent(probability)) <= 5
    assert len(signed(number)) <= 6
    assert signed(number)[0] in "+-"


class Tags(HTMLParser):
    """Collects the tags of a document and whether they are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_notebook_html_is_escaped_balanced_and_without_scripts(demo: Debugger) -> None:
    trace = demo.trace("<script>alert(1)</script> & \x1b", ["L28D1328=40"])
    view = trace.view(top_k=3)
    tags = Tags()
    html = page(document(view))
    tags.feed(html)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "alert" in tags.text
    assert "\x1b" not in tags.text
    assert "L28D1328=40.0" in tags.text
    assert html.count("<details>") == 30
