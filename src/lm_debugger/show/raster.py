"""A picture as pixels: SVG to PNG, in the fonts that this machine has."""

import re

from lm_debugger.errors import OptionError

ZOOM = 2.0  # pixels for a unit of the drawing: sharp on dense screens and on paper
# Of the systems in use; a picture of a terminal is no picture without one of even width.
FONTS = ("DejaVu Sans Mono", "Liberation Mono", "Noto Sans Mono", "Menlo", "Consolas", "Courier New", "FreeMono")
_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9" font-family="{}">M</text></svg>'
_EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def raster(svg: str) -> bytes:
    """The PNG of an SVG picture of text.

    Raises:
        OptionError: if the machine has no font for it.
    """
    from resvg_py import svg_to_bytes

    nothing = svg_to_bytes(svg_string=_EMPTY)
    font = next((font for font in FONTS if svg_to_bytes(svg_string=_PROBE.format(font)) != nothing), None)
    if font is None:
        raise OptionError(
            "This machine has no font to draw a .png with.",
            "Install one, such as the package fonts-dejavu-core, or save a .svg file.",
        )
    # The names in the drawing are of fonts that a browser would fetch.
    drawing = re.sub(r"font-family: [^;]+;", f"font-family: {font};", svg)
    return bytes(svg_to_bytes(svg_string=drawing, zoom=ZOOM))
