"""What `fab doctor` asks of an opened site: all of preflight, whose load balancers they are, claims, and the check.

Changes nothing. What can not be asked is a finding too, so that the rest is asked all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tasks.findings import Finding, fine, gathered, wrong
from tasks.rollout.beginning import bounded
from tasks.rollout.contenders import at_work, whose
from tasks.rollout.goal import Goal
from tasks.rollout.observation import Observation
from tasks.rollout.outlook import outlook
from tasks.rollout.preflight import findings, marks
from tasks.rollout.reverting import in_rotation
from tasks.rollout.site import Site


def checkup(template: Goal, site: Site) -> list[Finding]:
    """Look at everything that a deploy will need of the cloud. `template` is any goal with the count that is set.

    :raises CloudError: servers and load balancers can not even be listed.
    """
    seen = site.observe()
    return [
        *gathered("preflight", partial(_preflight, template, seen, site)),
        *gathered("marks of load balancers", lambda: [marks(seen, site)]),
        *gathered("claims", partial(_claims, template, seen, site)),
        *gathered("check", partial(_checks, seen, site)),
    ]


def _preflight(template: Goal, seen: Observation, site: Site) -> list[Finding]:
    goal, _ = bounded(template, seen, site)
    return findings(goal, seen, site)


def _claims(template: Goal, seen: Observation, site: Site) -> Iterator[Finding]:
    now = outlook(template, seen, site)
    for claim in now.at_work:
        yield wrong("claims", at_work(claim, site.compute), "`fab deploy --wait` waits for it")
    if now.interrupted:
        was = f"{whose(now.interrupted.found.claim, site.compute)} was interrupted"
        remedy = "`fab deploy` makes good for it first; `fab status` tells how, and `fab abort` undoes it now"
        yield Finding(what="interrupted deploy", ok=True, seen=was, remedy=remedy)
    if not now.at_work:
        yield fine("claims", "nobody is at work")


def _checks(seen: Observation, site: Site) -> Iterator[Finding]:
    """Ask each server that serves for its check, on its private IP."""
    serving = in_rotation(seen).servers
    if not serving:
        yield fine("check", "nothing serves yet: new servers will be asked")
    for server in seen.servers:
        if server.id in serving:
            yield _checked(f"check on {server.name}", site.hosts.probe(server))


def _checked(what: str, problem: str) -> Finding:
    if not problem:
        return fine(what, "it answers as expected")
    return wrong(what, problem, "set `check.path`, `check.status` or `check.host`, or see `server.gateway`")
