"""`--save FILE`: an answer as a file. What kind of file, its ending says."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lm_debugger.errors import OptionError

if TYPE_CHECKING:
    from lm_debugger.records.attention import HeadTable
    from lm_debugger.records.base import Record
    from lm_debugger.records.flow import Flow
    from lm_debugger.records.patch import PatchMap
    from lm_debugger.records.path import PathMap
    from lm_debugger.records.why import Why
    from lm_debugger.show.document import Document

KINDS = (".json", ".csv", ".svg", ".png")
WIDTH = 120  # cells of a picture

Save = Annotated[
    Path | None, typer.Option("--save", metavar="FILE", help="Also write the answer to a .json, .csv, .svg or .png.")
]


def check_ending(path: Path | None) -> None:
    """See before anything runs that the file can be written as its name says.

    Raises:
        OptionError: if its ending is not known.
    """
    if path is not None and path.suffix.lower() not in KINDS:
        raise OptionError(f"{path} ends with none of {', '.join(KINDS)}.", "Name the file so, such as answer.csv.")


def save_answer(path: Path, answer: "Why | HeadTable | Flow | PatchMap | PathMap", document: "Document") -> None:
    """Write an answer.

    Raises:
        OptionError: if it cannot be written.
    """
    match path.suffix.lower():
        case ".csv":
            from lm_debugger.show.rows import rows

            text = io.StringIO()
            csv.writer(text).writerows(rows(answer))
            write(path, text.getvalue())
        case ".svg":
            from lm_debugger.show.terminal import picture

            write(path, picture(document, WIDTH, type(answer).__name__))
        case ".png":
            from lm_debugger.show.raster import raster
            from lm_debugger.show.terminal import picture

            write(path, raster(picture(document, WIDTH, type(answer).__name__)))
        case _:
            write_record(path, answer)


def write_record(path: Path, record: "Record") -> None:
    """Write a record's JSON.

    Raises:
        OptionError: if it cannot be written.
    """
    write(path, f"{record.model_dump_json()}\n")


def write(path: Path, content: str | bytes) -> None:
    """Write a file.

    Raises:
        OptionError: if it cannot be written.
    """
    try:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except (OSError, ValueError) as failure:
        raise OptionError(f"{path} cannot be written: {failure}.", "Give the path of a file to write.") from None
