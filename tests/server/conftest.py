"""A client of a tiny model's app, without sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from .live import BASE, tiny_app, wait_until_ready


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("server")
    with TestClient(tiny_app(folder), base_url=BASE) as found:
        wait_until_ready(found)
        yield found
