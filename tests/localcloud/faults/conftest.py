from collections.abc import AsyncIterator

import httpx
import pytest

from tests.localcloud.cloud import Cloud, in_memory
from tests.localcloud.faults.steering import control_of, over_http


@pytest.fixture
def anyio_backend() -> str:
    """Name the event loop that the local cloud runs on."""
    return "asyncio"


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    """Run a cloud in memory."""
    async with in_memory() as running:
        yield running


@pytest.fixture
async def control(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Open the control API of a cloud in memory."""
    async with control_of(cloud) as client:
        yield client


@pytest.fixture
async def served(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a cloud on a socket; gives a client with a token and a control token."""
    async with over_http(cloud) as client:
        yield client
