"""Makes docs/tour.ipynb from docs/tour.md: its text and code, without outputs."""

import json
import re

from tests.docs.test_tour import DOCS, TOUR


def main() -> None:
    """Write the notebook."""
    cells: list[dict[str, object]] = []
    for number, part in enumerate(re.split(r"```python\n(.*?)```", TOUR, flags=re.DOTALL)):
        source = part.strip("\n").splitlines(keepends=True)
        if not source:
            continue
        kind = "code" if number % 2 else "markdown"
        cell = {"cell_type": kind, "id": f"tour-{number}", "metadata": {}, "source": source}
        cells.append(cell | ({"execution_count": None, "outputs": []} if number % 2 else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (DOCS / "tour.ipynb").write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
