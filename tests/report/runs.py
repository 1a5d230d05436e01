"""Journals of runs that never were, written as real ones are: steps with their times, on the servers of an app."""

import json
from dataclasses import dataclass, field

from tasks.report.journals import Run

APP = {"app": "shop", "environment": "test", "release": "r2", "generation": "20260202-000000-bb"}
STEP_SERVER = {"SetUp", "Migrate", "TestApp", "Check", "RetireServer", "AwaitDrained", "MarkServing", "ProbeOld"}


@dataclass
class Told:
    """A journal that grows line by line."""

    lines: list[dict] = field(default_factory=list)

    def line(self, at, event, **values):
        """Add a line."""
        self.lines.append({"time": f"2026-02-02T00:00:{at:06.3f}+00:00", "at": at, "event": event, **values})
        return self

    def begun(self, at=0.0, verb="deploy", **values):
        """Begin a verb."""
        about = {"owner": "ops@laptop", "process": "", "cloud": "local", "count": 2, "settings": {"app": "shop"}}
        return self.line(at, "begun", schema=1, verb=verb, **(APP | about | values))

    def step(self, kind, about, began, ended, *facts):
        """Do a step that goes well."""
        self.line(began, "started", **_step(kind, about))
        return self.line(ended, "finished", **_step(kind, about), facts=list(facts))

    def fails(self, kind, about, began, ended, error="it broke", *, told_to_stop=False):
        """Do a step that fails, or is told to stop."""
        self.line(began, "started", **_step(kind, about))
        kind_of_error = "Interrupted" if told_to_stop else "CommandFailed"
        return self.line(
            ended, "failed", **_step(kind, about), kind=kind_of_error, error=error, told_to_stop=told_to_stop
        )

    def builds(self, number, asked, built, status="ACTIVE"):
        """Build a server, from its request until it is there."""
        name = f"shop-test-{number}"
        self.step("CreateServer", f"slot {number}", asked, asked + 0.1, server(name, "BUILD"))
        return self.step("WatchBuilds", "builds", asked + 0.1, built, server(name, status))

    def asked(self, at, status=200, **values):
        """Ask the cloud's compute API."""
        asked = {"api": "compute", "method": "GET", "path": "/servers/detail", "seconds": 0.05}
        return self.line(at, "requested", **{**asked, "status": status, **values})

    def ended(self, at, outcome="done", exit_code=0, **values):
        """End the verb."""
        return self.line(at, "ended", outcome=outcome, exit_code=exit_code, **values)

    def run(self, path="/nowhere/journal.jsonl"):
        """Give the run that it tells of, its lines in the order of their times as a journal has them."""
        from pathlib import Path

        first, *rest = self.lines
        return Run(path=Path(path), lines=(first, *sorted(rest, key=lambda line: line["at"])))

    def write(self, path):
        """Write it to a file, and give that."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in self.run(path).lines))
        return path


def server(name, status="ACTIVE", **values):
    """Give the fact that a server was seen."""
    return {"fact": "server", "server": name, "id": name, "status": status, "phase": "booting", **values}


def _step(kind, about):
    if about.startswith(("slot ", "builds", "claim", "watch")):
        return {"step": kind, "subject": about, "servers": []}
    if about.startswith("lb "):
        name = f"shop-test-{about.removeprefix('lb ')}"
        return {"step": kind, "subject": f"load balancer {name}", "servers": ["shop-test-1"], "balancer": name}
    return {"step": kind, "subject": f"server {about}", "servers": [about]}


def deployed():
    """Give a deploy of two servers that goes well."""
    told = Told().begun().asked(0.05).step("TakeClaim", "claim", 0.1, 0.2)
    told.builds(1, 0.2, 2.0).builds(2, 0.2, 3.0)
    told.step("SetUp", "shop-test-1", 2.0, 5.0).step("SetUp", "shop-test-2", 3.0, 7.0)
    told.step("Migrate", "shop-test-1", 5.0, 6.0)
    told.step("TestApp", "shop-test-1", 6.0, 8.0).step("TestApp", "shop-test-2", 7.001, 8.5)
    told.step("Check", "shop-test-1", 8.0, 8.3).step("Check", "shop-test-2", 8.501, 9.0)
    told.step("AddNodes", "lb http", 9.0, 9.5).step("AwaitOnline", "lb http", 9.5, 11.0)
    told.asked(9.4, 422, method="PUT").line(9.45, "said", text="asking again in 2 s")
    told.step("MarkServing", "shop-test-1", 11.0, 11.05).step("MarkServing", "shop-test-2", 11.0, 11.1)
    told.step("AwaitDrained", "shop-test-old", 11.1, 13.0, {"fact": "drained", "server": "shop-test-old", "cut": 2})
    told.step("RemoveNodes", "lb http", 13.0, 13.2).step("RetireServer", "shop-test-old", 13.2, 14.0)
    return told.ended(14.1)


def broken(output="Traceback: <script>alert(1)</script>\nno space left"):
    """Give a deploy whose second server fails its tests, and which is undone."""
    told = Told().begun().builds(1, 0.2, 2.0).builds(2, 0.2, 3.0)
    told.step("SetUp", "shop-test-1", 2.0, 5.0).step("SetUp", "shop-test-2", 3.0, 7.0)
    told.fails("TestApp", "shop-test-1", 5.0, 8.01, "stopped", told_to_stop=True)
    told.fails("TestApp", "shop-test-2", 7.0, 8.0, f"test failed on shop-test-2: exited 1; its last output:\n{output}")
    told.line(8.1, "reverting", reason="test failed on shop-test-2")
    told.step("RetireServer", "shop-test-1", 8.2, 9.0).step("RetireServer", "shop-test-2", 8.2, 9.5)
    return told.ended(
        9.6,
        "failed",
        4,
        kind="CommandFailed",
        error=f"test failed on shop-test-2: exited 1; its last output:\n{output}",
        aftermath="Serving as before: 1 server.",
        advice="Look at its log.",
    )
