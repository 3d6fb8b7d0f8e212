"""How an engine in another process is spoken to: frames of a JSON header and tensors, over a pair of pipes. No pickle.

A frame is two lengths (unsigned, 8 bytes each, big-endian), the header as UTF-8 JSON, and the tensors as safetensors
bytes (none if there are none).
"""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import IO, Any

from safetensors.torch import load, save
from torch import Tensor

from lm_debugger.engine.sites import Pass, Site, Turn, Write

_LENGTHS = struct.Struct(">QQ")

Header = dict[str, Any]


def send(pipe: IO[bytes], header: Header, tensors: Mapping[str, Tensor] | None = None) -> None:
    """Write one frame."""
    # Rows that share memory are sent as tensors of their own.
    body = (
        save({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}) if tensors else b""
    )
    head = json.dumps(header).encode()
    pipe.write(_LENGTHS.pack(len(head), len(body)))
    pipe.write(head)
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[Header, dict[str, Tensor]]:
    """Read one frame.

    Raises:
        EOFError: if the other side is gone.
    """
    head, body = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    header: Header = json.loads(_exactly(pipe, head))
    return header, load(_exactly(pipe, body)) if body else {}


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


def as_site(site: Site) -> list[Any]:
    """A site as JSON."""
    return [site.path, site.side, site.occurrence]


def to_site(data: Sequence[Any]) -> Site:
    """The site that `as_site` wrote."""
    return Site(path=data[0], side=data[1], occurrence=data[2])


def as_writes(writes: Sequence[Write]) -> list[Any]:
    """Writes as JSON."""
    return [[as_site(w.site), w.first, w.count, w.scale, w.shift, w.maximum, w.start, w.stop, w.turn] for w in writes]


def to_writes(data: Sequence[Any]) -> tuple[Write, ...]:
    """The writes that `as_writes` wrote."""
    return tuple(map(_write, data))


def _write(data: Sequence[Any]) -> Write:
    site, first, count, scale, shift, maximum, start, stop, turn = data
    turned = None if turn is None else Turn(tuple(turn[0]), tuple(turn[1]), turn[2])
    return Write(to_site(site), first, count, scale, _row(shift), maximum, start, stop, turned)


def _row(data: Any) -> Any:
    return tuple(data) if isinstance(data, list) else data


def as_passes(passes: Sequence[Pass]) -> list[Any]:
    """Passes as JSON."""
    return [[list(one.ids), as_writes(one.writes)] for one in passes]


def to_passes(data: Sequence[Any]) -> list[Pass]:
    """The passes that `as_passes` wrote."""
    return [Pass(tuple(ids), to_writes(writes)) for ids, writes in data]
