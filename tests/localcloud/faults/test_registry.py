"""Which fault strikes, when, and how often."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.localcloud.faults.names import FaultName, UnknownFault, describe, fault_name
from tasks.localcloud.faults.registry import UNTIL_CLEARED, Fault, Faults


@pytest.fixture
def faults() -> Faults:
    """Give a registry in which nothing is armed."""
    return Faults()


def strikes(faults: Faults, *about: str) -> list[str]:
    """Take api-500 once for each thing; gives those that were struck."""
    return [each for each in about if faults.take(FaultName.API_500, about=each)]


def test_nothing_strikes_unless_it_is_asked_for(faults: Faults):
    """A cloud on which nothing is armed has good days only."""
    assert [name for name in FaultName if faults.take(name, about="anything")] == []


def test_a_fault_strikes_once_unless_told_otherwise(faults: Faults):
    """One occasion is struck, the next passes."""
    faults.arm(Fault(name=FaultName.API_500))

    assert strikes(faults, "first", "second") == ["first"]


def test_a_fault_strikes_as_often_as_it_is_told(faults: Faults):
    """`times` occasions are struck, and no more."""
    faults.arm(Fault(name=FaultName.API_500, times=2))

    assert strikes(faults, "a", "b", "c") == ["a", "b"]


def test_a_fault_may_strike_until_it_is_cleared(faults: Faults):
    """With no number of times, only clearing ends it."""
    faults.arm(Fault(name=FaultName.API_500, times=UNTIL_CLEARED))
    before = strikes(faults, *"abcdefgh")
    faults.clear()

    assert (before, strikes(faults, "i")) == (list("abcdefgh"), [])


def test_a_fault_strikes_only_what_it_is_limited_to(faults: Faults):
    """Occasions about something else neither are struck nor count."""
    faults.arm(Fault(name=FaultName.API_500, match="web-2", after=1))

    assert strikes(faults, "web-1", "web-2 once", "web-1", "web-2 twice") == ["web-2 twice"]


def test_a_fault_lets_occasions_pass_first(faults: Faults):
    """`after` occasions pass before the first strike."""
    faults.arm(Fault(name=FaultName.API_500, after=2, times=2))

    assert strikes(faults, *"abcde") == ["c", "d"]


def test_faults_of_one_name_take_turns(faults: Faults):
    """The one armed first strikes first; a later one begins when that is spent."""
    faults.arm(Fault(name=FaultName.API_500, seconds=1))
    faults.arm(Fault(name=FaultName.API_500, seconds=2))
    taken = [faults.take(FaultName.API_500, about="x") for _ in range(3)]

    assert [fault.seconds if fault else None for fault in taken] == [1, 2, None]


def test_only_one_name_may_be_cleared(faults: Faults):
    """Clearing by name leaves the others armed, and says how many went."""
    faults.arm(Fault(name=FaultName.API_500))
    faults.arm(Fault(name=FaultName.API_503))

    assert faults.clear(FaultName.API_503) == 1
    assert [armed.fault.name for armed in faults.all()] == [FaultName.API_500]


def test_what_has_struck_is_counted(faults: Faults):
    """A spent fault is still listed, with the number of its strikes."""
    faults.arm(Fault(name=FaultName.API_500, after=1))
    strikes(faults, *"abc")
    [armed] = faults.all()

    assert (armed.passed, armed.struck, armed.spent) == (1, 1, True)


def test_threads_share_the_count(faults: Faults):
    """However many threads ask at once, a fault strikes as often as it was told."""
    faults.arm(Fault(name=FaultName.API_500, times=50))
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: faults.take(FaultName.API_500, about="x"), range(200)))

    assert len([fault for fault in taken if fault]) == 50


def test_every_strike_is_said_in_the_log(faults: Faults, caplog: pytest.LogCaptureFixture):
    """The daemon's log names the fault and what it has struck."""
    faults.arm(Fault(name=FaultName.API_500))
    strikes(faults, "GET /compute/v2.1/servers")

    assert "fault api-500 strikes GET /compute/v2.1/servers" in caplog.text


def test_strikes_are_told_on_one_line_each(faults: Faults, caplog: pytest.LogCaptureFixture):
    """Whatever a command contains, its strike is one line of bounded length in the log and in the list."""
    faults.arm(Fault(name=FaultName.API_500, match="rm"))
    strikes(faults, "web-1: rm x\n2026 fault forged\x1b[2J" + "!" * 1000)
    [armed] = faults.all()

    assert len(caplog.text.splitlines()) == 1
    assert armed.strikes[0].startswith(r"web-1: rm x\n2026 fault forged\x1b[2J!!!")
    assert len(armed.strikes[0]) == 200


def test_only_the_last_strikes_are_kept(faults: Faults):
    """A fault that strikes for ever does not fill the memory."""
    faults.arm(Fault(name=FaultName.API_500, times=UNTIL_CLEARED))
    strikes(faults, *map(str, range(100)))
    [armed] = faults.all()

    assert (armed.struck, armed.strikes) == (100, tuple(map(str, range(80, 100))))


def test_every_fault_is_described():
    """Each name has its sentence."""
    assert set(describe()) == set(FaultName)
    assert all(sentence.endswith(".") for sentence in describe().values())


def test_an_unknown_name_gets_the_nearest_one():
    """A mistyped name is answered with the one that was probably meant, and with all there are."""
    with pytest.raises(UnknownFault, match=r"Did you mean build-dies\? Known: build-dies, build-hangs"):
        fault_name("bild-dies")


def test_a_strange_name_gets_no_guess():
    """A name unlike all others is answered with the list alone."""
    with pytest.raises(UnknownFault, match=r"no fault 'xyzzy'\. Known: "):
        fault_name("xyzzy")
