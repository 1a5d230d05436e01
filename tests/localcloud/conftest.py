from collections.abc import AsyncIterator

import pytest

from tests.localcloud.cloud import Cloud, in_memory


@pytest.fixture
def anyio_backend() -> str:
    """Name the event loop that the local cloud runs on."""
    return "asyncio"


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    """Run a cloud in memory."""
    async with in_memory() as running:
        yield running
