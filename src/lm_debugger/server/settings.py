"""What a server is started with: model, address, database and limits. Reads no environment and no command line."""

import ipaddress
import socket

from lm_debugger.records import limits
from lm_debugger.records.base import Record


class Limits(Record):
    """What one request may ask for.

    Args:
        body_bytes: size of a request.
        prompt_characters, prompt_tokens: length of a prompt.
        new_tokens: tokens to generate.
        top_k: tokens and sub-updates listed in one place.
        interventions: edits in force at once.
        cells: layers times positions of a lens grid.
        tokens_followed: tokens of a trajectory.
        results: results of a search.
        calibration_tokens: tokens to calibrate over.
        lens_prompts: texts to fit a lens on.
        clusters: to make.
        members: of a cluster, listed at once.
        trace_bytes: memory that one run may keep.
        waiting: requests that may wait for the model.
        seconds: time that one request's work may take once it has begun; 0 for no limit.
        header_seconds, body_seconds: time that a client has to send a request.
        connections: open at once.
    """

    body_bytes: int = 1 << 20
    prompt_characters: int = limits.PROMPT
    prompt_tokens: int = 4096
    new_tokens: int = 1024
    top_k: int = 50
    interventions: int = 256
    cells: int = 100_000
    tokens_followed: int = 32
    results: int = 1000
    calibration_tokens: int = 1 << 20
    lens_prompts: int = 10_000
    clusters: int = 10_000
    members: int = 1000
    trace_bytes: int = 2 << 30
    waiting: int = 32
    seconds: float = 900.0
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    connections: int = 512


class Settings(Record):
    """How to serve which model.

    Args:
        model: as for `lm_debugger.load`.
        other: a second model of the same shape, that the first can be bisected with. No request can name one.
        device, dtype, trust_remote_code: as for `lm_debugger.load`; the device `auto` spreads the model.
        host, port: where the server listens.
        token: what a client must know; needed on any host but this machine's own loopback. `lm-debugger serve` makes
            one everywhere.
        allowed_hosts: names, besides the obvious ones, under which a browser may reach the server.
        lens: through which layers are read where a request names none; None for the logit lens.
        database: a file or URL; None for the file in the user's data folder.
        limits: what one request may ask for.
    """

    model: str = "demo"
    other: str | None = None
    device: str | None = None
    dtype: str | None = None
    trust_remote_code: bool = False
    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    database: str | None = None
    lens: str | None = None
    limits: Limits = Limits()

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    def allows(self, host: str) -> bool:
        """Whether a request may say that it was sent to this host (a name or address without the port).

        A page elsewhere can make its own name point to this machine (DNS rebinding), and its scripts would then count
        as this server's own. It cannot do so with an address, or with a name that is not its own.
        """
        host = host.lower().rstrip(".")
        if host == "localhost" or host in {name.lower() for name in (self.host, *self.allowed_hosts)}:
            return True
        address = _address(host)
        if address is not None:
            return not self.loopback or address.is_loopback
        return not self.loopback and host in {socket.gethostname().lower(), socket.getfqdn().lower()}


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reachable from this machine alone."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
