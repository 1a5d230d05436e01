"""What the lines of a journal mean: the events and their fields, as documented in docs/events.md.

A test compares it with what is written, and the document with it. Fields are added now and then; one that changes its
meaning or goes raises `journal_lines.SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Mapping

EVERY_LINE: Mapping[str, str] = {
    "time": "when, by this machine's clock: ISO 8601, UTC, milliseconds",
    "at": "seconds since the run was first heard of, on a clock that never goes back",
    "event": "which of the events below",
}

STEP: Mapping[str, str] = {
    "step": "the kind of step, such as `SetUp`",
    "subject": "what it is about: `server ID`, `slot NUMBER`, `load balancer NAME`, `builds`, `claim`, `watch` …; two "
    "steps on the same subject never run at once",
    "servers": "names of the servers it is about; ids or addresses of those that are not known",
    "balancer?": "name of the load balancer",
    "condition?": "the condition that nodes are set to: `ENABLED` or `DRAINING`",
    "slot?": "number of the server in its generation",
    "moment?": "`before` or `after` the migrations",
    "count?": "how many new servers are watched",
    "fault?": "why a slot is given up",
    "missing?": "for how many servers there is no room",
    "hook?": "which command of the operator's is run, as the settings name it",
}

ERROR: Mapping[str, str] = {
    "kind": "the kind of error, such as `CommandFailed`",
    "error": "what failed, on what, and what was seen, the last lines of output included",
    "aftermath?": "what serves now, where something was undone",
    "advice?": "what to do next",
}

EVENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "begun": (
        "A verb has begun. Always the first line, though what was looked at before it may be earlier.",
        {
            "schema": "of these lines; goes up when a field changes its meaning or goes",
            "verb": "`deploy`, `rotate`, `rollback`, `abort` …",
            "app": "the app",
            "environment": "its environment",
            "release": "the release to be deployed; may be empty",
            "generation": "the generation to be made; may be empty",
            "count": "how many servers are meant to serve",
            "cloud": "the cloud, as the settings name it",
            "owner": "user@host of who does it",
            "process": "the process that does it, for this program on the same machine",
            "settings": "all settings, those that are secret masked",
        },
    ),
    "observed": ("The cloud was looked at as a whole.", {"servers": "names of the servers of ours that there are"}),
    "planned": (
        "It is known what is to be done, after what an interrupted deploy has left was put in order.",
        {"rounds": "the steps in their order, with the fields of a step; those of one round could run side by side"},
    ),
    "started": ("A step has begun.", STEP),
    "finished": ("A step has ended well.", {**STEP, "facts": "what was seen: the facts below"}),
    "failed": (
        "A step has failed.",
        {**STEP, **ERROR, "told_to_stop": "true when it was stopped because another step failed, or by Ctrl-C"},
    ),
    "reverting": ("A failure is being undone.", {"reason": "the failure"}),
    "said": ("Something that is no step, such as a wait for a rate limit.", {"text": "one sentence"}),
    "requested": (
        "An API of the cloud was asked.",
        {
            "api": "which one, such as `compute`",
            "method": "the HTTP method",
            "path": "of the URL, without host and query",
            "status": "the HTTP status of the answer; 0 when there was none",
            "seconds": "from sending to the answer",
        },
    ),
    "ended": (
        "The verb has ended. Missing when its process was killed.",
        {
            "outcome": "`done`, `bug`, `settings`, `refused`, `failed`, `reverted`, `claimed` or `unfinished`",
            "exit_code": "of the task, which says the same as a number",
            "kind?": ERROR["kind"],
            "error?": ERROR["error"],
            "console?": "how the console log of the server that failed ends, under a heading",
            "aftermath?": ERROR["aftermath?"],
            "advice?": ERROR["advice?"],
        },
    ),
}

FACTS: Mapping[str, Mapping[str, str]] = {
    "server": {
        "server": "its name",
        "id": "its id",
        "status": "as Nova has it",
        "phase": "how far it has come: `booting`, `set-up`, `tested`, `ready`, `serving`",
        "private_ip": "its private IP; empty while it has none",
        "fault?": "why its build has failed",
    },
    "load balancer": {
        "balancer": "its name",
        "status": "`ACTIVE`, `PENDING` …",
        "nodes": "each with `server` (or address), `port`, `condition` and `status`",
    },
    "gone": {"server": "which does not exist any more"},
    "build died": {"slot": "whose build failed and is replaced"},
    "distrusted": {"server": "at whose address something else may answer", "error": "why"},
    "drained": {"server": "which has drained", "cut": "connections still open at the limit; null if not countable"},
    "held": {"servers": "the other servers that there were when the claim was taken"},
    "probed": {
        "server": "an old one, asked for its check",
        "moment": "`before` or `after` the migrations",
        "problem": "empty when it answered as expected",
    },
    "watched": {"count": "how many new servers have proved themselves"},
    "hook ran": {"hook": "which command of the operator's was run, as the settings name it"},
}


def document() -> str:
    """Give docs/events.md."""
    lines = [_OPENING, "## Every line has\n", *_table(EVERY_LINE)]
    for name, (meaning, fields) in EVENTS.items():
        lines += [f"\n## `{name}`\n", f"{meaning}\n", *_table(fields)]
    lines += ["\n## Facts\n", _FACTS]
    for name, fields in FACTS.items():
        lines += [f"### `{name}`\n", *_table(fields), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(fields: Mapping[str, str]) -> list[str]:
    rows = [
        f"| `{name.rstrip('?')}`{' (not always)' if '?' in name else ''} | {said} |" for name, said in fields.items()
    ]
    return ["| Field | Meaning |", "|---|---|", *rows]


_OPENING = """\
# The journal

Every run that changes something leaves `journal.jsonl` in a folder of its own, with `report.html` beside it; `fab
history` lists them. `--events -` prints the same lines to standard output while they happen (all else goes to standard
error then), `--events FILE` writes them to a file. Each line is one JSON object.

A reader should ignore events and fields that it does not know: more may come. `schema` in the first line goes up when
one changes its meaning or goes. A run that was killed ends without `ended`, and its last line may be cut off.

<!-- Written from journal_format.py: WRITE_DOCS=1 .venv/bin/pytest tests/rollout/test_journal_format.py -->
"""
_FACTS = "What a step has seen; `fact` says which of these it is.\n"
