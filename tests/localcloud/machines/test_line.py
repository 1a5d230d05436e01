"""The line between a server and the daemon: questions, answers, and what becomes of those nobody needs any more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tasks.localcloud.machines.exchange import Exchange
from tasks.localcloud.machines.line import Line, connect
from tasks.localcloud.machines.mishaps import Kind, Mishap, Occasion, Question
from tasks.localcloud.machines.spec import Boot, Isolation, MachineSpec

pytestmark = pytest.mark.anyio
LIFE = Question(occasion=Occasion.LIFE)


class Oracle:
    """Decides what a test says, when it says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[str, Question]] = asyncio.Queue()
        self.answers: asyncio.Queue[Mishap] = asyncio.Queue()
        self.withdrawn = asyncio.Event()

    async def decide(self, machine_id: str, question: Question) -> Mishap:
        """Wait for the test's word; a question about nothing at all is a mistake."""
        self.asked.put_nowait((machine_id, question))
        if question.what == "nonsense":
            raise ValueError(question.what)
        try:
            return await self.answers.get()
        except asyncio.CancelledError:
            self.withdrawn.set()
            raise


@pytest.fixture
def anyio_backend() -> str:
    """Name the event loop that servers run on."""
    return "asyncio"


@pytest.fixture
def oracle() -> Oracle:
    """Make somebody who decides."""
    return Oracle()


@pytest.fixture
async def exchange(oracle: Oracle, tmp_path: Path) -> AsyncIterator[Exchange]:
    """Answer lines."""
    exchange = Exchange(tmp_path / "exchange.sock", oracle)
    await exchange.open()
    yield exchange
    await exchange.close()


@pytest.fixture
async def line(exchange: Exchange, tmp_path: Path) -> Line:
    """Open the line of a server."""
    return await open_line(tmp_path)


async def open_line(folder: Path) -> Line:
    """Open a line of server 4711 to the exchange in a folder."""
    spec = MachineSpec(
        id="4711", hostname="web", private_ip="", ssh_port=22, authorized_keys=(), shared=folder / "shared"
    )
    boot = Boot(
        spec=spec, folder=folder, image=folder, exchange=folder / "exchange.sock", isolation=Isolation.PROCESSES
    )
    line = Line(connect(boot))
    await line.open()
    return line


async def test_a_question_is_answered(oracle, line):
    """Question and answer arrive whole, and whoever decides learns which server asks."""
    question = Question(occasion=Occasion.SESSION_ENDS, what="echo 'ü\n'", ticket=7)
    oracle.answers.put_nowait(Mishap(kind=Kind.DROPS, seconds=1.5, ticket=8))

    assert await line.ask(question) == Mishap(kind=Kind.DROPS, seconds=1.5, ticket=8)
    assert await oracle.asked.get() == ("4711", question)


async def test_a_question_does_not_wait_for_another(oracle, line):
    """While one question is being thought about others are asked and answered."""
    first = asyncio.create_task(line.ask(Question(occasion=Occasion.LIFE, what="first")))
    await oracle.asked.get()
    second = asyncio.create_task(line.ask(Question(occasion=Occasion.CONNECTION, what="second")))
    await oracle.asked.get()
    for ticket in (1, 2):
        oracle.answers.put_nowait(Mishap(ticket=ticket))

    assert [(await first).ticket, (await second).ticket] == [1, 2]


async def test_a_question_is_taken_back(oracle, line):
    """Who does not wait any more is not thought about any more."""
    asking = asyncio.create_task(line.ask(LIFE))
    await oracle.asked.get()
    asking.cancel()

    async with asyncio.timeout(10):
        await oracle.withdrawn.wait()


async def test_nothing_happens_on_a_broken_line(oracle, exchange, line):
    """When the exchange closes, open questions and later ones are answered with nothing."""
    asking = asyncio.create_task(line.ask(LIFE))
    await oracle.asked.get()
    await exchange.close()

    assert [await asking, await line.ask(LIFE)] == [Mishap(), Mishap()]


async def test_nothing_happens_by_mistake(line):
    """What cannot be decided does not happen, and the next question is answered as ever."""
    assert await line.ask(Question(occasion=Occasion.LIFE, what="nonsense")) == Mishap()
    assert await line.ask(Question(occasion=Occasion.LIFE, what="nonsense")) == Mishap()


async def test_folders_may_have_long_names(oracle, tmp_path):
    """A socket's own path may be longer than the 107 bytes that the kernel takes."""
    folder = tmp_path / ("x" * 150)
    folder.mkdir()
    exchange = Exchange(folder / "exchange.sock", oracle)
    await exchange.open()
    oracle.answers.put_nowait(Mishap(kind=Kind.DIES))

    assert await (await open_line(folder)).ask(LIFE) == Mishap(kind=Kind.DIES)
    await exchange.close()
