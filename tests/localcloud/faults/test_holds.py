"""Which occasion is held, and what becomes of it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tasks.localcloud.faults.holds import Hold, Holds, Moment, Released

pytestmark = pytest.mark.anyio
DEADLINE = 10.0


@pytest.fixture
def holds() -> Holds:
    """Give a counter that has counted nothing."""
    return Holds()


async def pass_by(holds: Holds, what: str, seen: list[str]) -> None:
    """Do something that has an effect and an answer."""
    passage = await holds.reached("api", what)
    seen.append(f"{what} effect")
    await passage.done()
    seen.append(f"{what} answer")


async def held(holds: Holds, act: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Begin an act that will be held; gives it when it is."""
    begun = asyncio.create_task(act)
    assert await holds.until_held(DEADLINE)
    return begun


async def test_occasions_are_counted(holds: Holds):
    """Whatever passes is counted, whether something is armed or not."""
    seen: list[str] = []
    await pass_by(holds, "first", seen)
    await pass_by(holds, "second", seen)

    assert (holds.counted, seen) == (2, ["first effect", "first answer", "second effect", "second answer"])


async def test_the_armed_one_is_held_before_its_effect(holds: Holds):
    """The k-th occasion from the arming on stands still without an effect; the others pass."""
    seen: list[str] = []
    await pass_by(holds, "earlier", seen)
    holds.arm(Hold(request=2, moment=Moment.BEFORE))
    await pass_by(holds, "first", seen)
    act = await held(holds, pass_by(holds, "second", seen))
    await pass_by(holds, "third", seen)
    holds.release()

    with pytest.raises(Released):
        await act
    assert [line for line in seen if "second" in line] == []
    assert "third answer" in seen


async def test_the_armed_one_is_held_after_its_effect(holds: Holds):
    """Held after its effect, an occasion has it and gives no answer."""
    seen: list[str] = []
    holds.arm(Hold(request=1, moment=Moment.AFTER))
    act = await held(holds, pass_by(holds, "first", seen))
    holds.release()

    with pytest.raises(Released):
        await act
    assert seen == ["first effect"]


async def test_what_is_held_is_said(holds: Holds):
    """Who asks is told what stands still, and of which kind it is."""
    holds.arm(Hold(request=1, moment=Moment.BEFORE))
    act = asyncio.create_task(pass_by(holds, "DELETE /servers/1", []))
    occasion = await holds.until_held(DEADLINE)
    holds.release()

    assert occasion
    assert (occasion.kind, occasion.what, occasion.number) == ("api", "DELETE /servers/1", 1)
    with pytest.raises(Released):
        await act


async def test_nothing_is_held_once_it_is_released(holds: Holds):
    """After a release everything passes, and nothing is said to be held."""
    seen: list[str] = []
    holds.arm(Hold(request=1, moment=Moment.BEFORE))
    holds.release()
    await pass_by(holds, "first", seen)

    assert (holds.armed, holds.held, seen) == (None, None, ["first effect", "first answer"])


async def test_waiting_for_a_hold_ends(holds: Holds):
    """Who waits for something to be held is told after the time that nothing is."""
    holds.arm(Hold(request=2, moment=Moment.BEFORE))
    await pass_by(holds, "first", [])

    assert await holds.until_held(0.01) is None


async def test_arming_again_lets_go(holds: Holds):
    """A second arming lets go of what the first one holds, and counts from there."""
    holds.arm(Hold(request=1, moment=Moment.BEFORE))
    act = await held(holds, pass_by(holds, "first", []))
    holds.arm(Hold(request=1, moment=Moment.AFTER))

    with pytest.raises(Released):
        await act
    again = await held(holds, pass_by(holds, "second", []))
    assert holds.held
    assert holds.held.what == "second"
    holds.release()
    with pytest.raises(Released):
        await again


async def test_only_occasions_of_one_kind_may_count(holds: Holds):
    """With a pattern, the k-th occasion in which it is found is held; all are counted."""
    seen: list[str] = []
    holds.arm(Hold(request=2, moment=Moment.BEFORE, pattern="^api (POST|DELETE) "))
    for what in ("POST /a", "GET /b", "GET /POST /c"):
        await pass_by(holds, what, seen)
    act = await held(holds, pass_by(holds, "DELETE /a", seen))
    occasion = holds.held
    holds.release()

    assert occasion
    assert (occasion.what, occasion.number, len(seen)) == ("DELETE /a", 4, 6)
    with pytest.raises(Released):
        await act
