"""Curves of faithfulness over the share of components kept, one panel a task, as an SVG picture."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 420, 260, 46
COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#222222", "#999999")
LOW, HIGH = -0.25, 1.5  # of f


def draw(panels: Mapping[str, Mapping[str, Sequence[float]]], shares: Sequence[float]) -> str:
    """The picture."""
    body = "".join(_panel(number, title, curves, shares) for number, (title, curves) in enumerate(panels.items()))
    names = next(iter(panels.values()))
    legend = "".join(
        f'<line x1="{60 + 130 * n}" x2="{80 + 130 * n}" y1="{HEIGHT + 14}" y2="{HEIGHT + 14}" stroke="{colour}" '
        f'stroke-width="2"/><text x="{85 + 130 * n}" y="{HEIGHT + 18}">{escape(name)}</text>'
        for n, (name, colour) in enumerate(zip(names, COLOURS, strict=False))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(panels)} {HEIGHT + 30}" '
        f'font-family="sans-serif" font-size="11" fill="#333">'
        f'<rect width="100%" height="100%" fill="#fff"/>{body}{legend}</svg>\n'
    )


def _panel(number: int, title: str, curves: Mapping[str, Sequence[float]], shares: Sequence[float]) -> str:
    left, right = WIDTH * number + MARGIN, WIDTH * (number + 1) - 10
    top, bottom = 26, HEIGHT - 34
    first, last = math.log10(shares[0]), math.log10(shares[-1])

    def across(share: float) -> float:
        return left + (math.log10(share) - first) / (last - first) * (right - left)

    def down(height: float) -> float:
        return bottom - (min(max(height, LOW), HIGH) - LOW) / (HIGH - LOW) * (bottom - top)

    parts = [f'<text x="{left}" y="16" font-weight="bold">{escape(title)}</text>']
    parts += [
        f'<line x1="{left}" x2="{right}" y1="{down(height):.1f}" y2="{down(height):.1f}" stroke="#ddd"/>'
        f'<text x="{left - 6}" y="{down(height) + 4:.1f}" text-anchor="end">{height:g}</text>'
        for height in (0, 0.5, 1)
    ]
    parts += [
        f'<text x="{across(share):.1f}" y="{bottom + 14}" text-anchor="middle">{share:g}</text>'
        for share in (0.001, 0.01, 0.1, 1)
    ]
    parts.append(f'<text x="{(left + right) / 2}" y="{bottom + 28}" text-anchor="middle">share kept</text>')
    for curve, colour in zip(curves.values(), COLOURS, strict=False):
        points = " ".join(
            f"{across(share):.1f},{down(height):.1f}" for share, height in zip(shares, curve, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "".join(parts)
