"""Clients of a cloud that is to have bad days."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tasks.localcloud.api.application import application
from tasks.localcloud.daemon import listen, served
from tests.localcloud.cloud import Cloud


def bearer(cloud: Cloud) -> dict[str, str]:
    """Give the header that opens the control API."""
    return {"Authorization": f"Bearer {cloud.bad_days.control_token}"}


@asynccontextmanager
async def control_of(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Open the control API in memory."""
    wire = httpx.ASGITransport(application(cloud.services, io.StringIO()))
    url = "http://127.9.0.1:5000/control"
    async with httpx.AsyncClient(transport=wire, base_url=url, headers=bearer(cloud)) as client:
        yield client


@asynccontextmanager
async def over_http(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a cloud on a real socket, where a connection can be closed; the client may do everything."""
    headers = {**bearer(cloud), "X-Auth-Token": cloud.tokens.issue().id}
    app = application(cloud.services, cloud.log)
    with listen("127.0.0.1") as listener:
        host, port = listener.getsockname()
        async with (
            served(app, listener, cloud.services.connections),
            httpx.AsyncClient(base_url=f"http://{host}:{port}", headers=headers, timeout=20) as client,
        ):
            yield client
