"""Runs to look at: one that went well, one that failed, one that was killed, a large one with long names."""

from tests.report.runs import Told, broken, deployed

HOSTILE = (
    '</pre><script>document.title = "owned"</script><img src=x onerror=alert(1)>\x1b[31mred\x1b[0m \u202ereversed\n'
    + "a-very-long-word-without-a-place-to-break-" * 20
    + "\n  File \"app.py\", line 3, in <module>\n    raise ValueError('no space left')\nValueError: no space left"
)
SETTINGS = {"app": "shop", "count": 2, "seal": False, "env": {"LANG": "C", "SECRET_KEY": "********"}, "networks": []}


def killed():
    """Give a deploy whose process was killed while it set up a server."""
    told = Told().begun(process="gone", settings=SETTINGS).builds(1, 0.2, 2.0)
    told.line(2.0, "started", step="SetUp", subject="server shop-test-1", servers=["shop-test-1"])
    return told.asked(6.0, 0)


def large():
    """Give a deploy of twelve servers with names as long as they get, and many requests, which took minutes."""
    told = Told().begun(settings=SETTINGS)
    names = [f"shop-test-20260202-000000-bb-{number}" for number in range(1, 13)]
    plan = [[{"step": "CreateServer", "subject": f"slot {n}", "servers": [], "slot": n} for n in range(1, 13)]]
    told.line(0.5, "planned", rounds=[*plan, [{"step": "SetUp", "subject": "server x", "servers": names}]])
    for number, name in enumerate(names):
        told.builds(name.removeprefix("shop-test-"), 1.0 + number, 60.0 + 3 * number)
        told.step("SetUp", name, 60.0 + 3 * number, 180.0 + 4 * number)
        told.step("TestApp", name, 180.0 + 4 * number, 260.0 + 5 * number)
        told.step("Check", name, 260.0 + 5 * number, 264.0 + 5 * number)
    for number in range(300):
        told.asked(1.0 + number, 413 if number % 60 == 7 else 200)
    told.step("AddNodes", "lb http", 320.0, 325.0).step("AwaitOnline", "lb http", 325.0, 340.0)
    told.fails("AwaitOnline", "lb https", 325.0, 341.0, "nodes of https are not ONLINE")
    told.line(341.1, "reverting", reason="nodes of https are not ONLINE")
    told.step("SetCondition", "lb http", 341.2, 342.0)
    for name in names:
        told.step("RetireServer", name, 342.0, 350.0)
    return told.ended(350.5, "reverted", 5, kind="Reverted", error="nodes of https are not ONLINE\nThe old ones serve.")


STORIES = {"deployed": deployed(), "broken": broken(HOSTILE), "killed": killed(), "large": large()}
