"""Token text made safe to look at, wherever it is shown. Knows nothing of terminals or HTML.

A token can be any string: spaces that matter, line breaks, control characters that a terminal would obey,
characters without width, marks that would attach to the character before. Shown text has one line, no invisible
character and no control character.
"""

import unicodedata

_SHOWN = {"\n": "↵", "\t": "⇥", "\x7f": "␡"}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def visible(text: str) -> str:
    """A token's text on one line: spaces as `·`, newlines as `↵`, other invisible characters as symbols or escapes."""
    if text.isascii() and text.isprintable():
        return text.replace(" ", "·")
    shown = "".join("·" if character == " " else _show(character) for character in text)
    return f"◌{shown}" if text and unicodedata.category(text[0]) in _MARKS else shown


def printable(text: str) -> str:
    """Running text with its spaces and line breaks, everything else that does not print made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character in " \n" else _show(character) for character in text)


def right_to_left(text: str) -> bool:
    """Whether a display that follows the Unicode bidirectional algorithm would reorder the text."""
    return not text.isascii() and any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)


def _show(character: str) -> str:
    """One character, or what stands for it if it cannot be seen."""
    if character in _SHOWN:
        return _SHOWN[character]
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ␛ for escape
    # Variation selectors are marks without a width of their own that change the width of what they follow.
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    if selector or unicodedata.category(character) in _INVISIBLE:
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character
