"""The family of errors that an operator may see.

Each says what failed, on what, what was seen and what to do next, and carries the data it speaks of. Library
exceptions do not leave `cloud/`, `hosts/` and `release/`: they become one of these there. The exit codes are stable:

0 done · 1 a bug of ours · 2 settings or usage · 3 preflight or the cloud refused · 4 new servers failed and were
removed, nothing changed · 5 reverted after the rotation began · 6 another deploy holds the claim · 7 something remains
that needs a hand

    DeployError ─ SettingsError(2)
                ─ ReleaseError(3), DeployRefused(3)
                ─ CloudError(3): CloudUnreachable, Uncertain, Unauthorized, NotFound, Conflict, Immutable, OverLimit,
                                QuotaExceeded
                ─ HostError(4): HostUnreachable (ConnectionLost), UntrustedHost (WrongHostKey), CommandFailed,
                                CheckFailed
                ─ RolloutError(4): BuildFailed, GuardRefused (TooFew), TimedOut, Interrupted, RotationRefused;
                                  Breached(4), Reverted(5), Claimed(6) (ClaimLost), Unfinished(7)
"""

from __future__ import annotations


class DeployError(Exception):
    """A failure that an operator can do something about.

    :param problem: what failed, on what, and what was seen: one sentence or a few lines.
    :param advice: what to do next; empty when the problem says it all.

    What was found out about it afterwards is set on it:

    - `aftermath` says what serves now and what remains, where something was done and undone;
    - `console` is the end of the console log of the server that it struck, fit to be shown;
    - `kept` is the private IP of that server, where it was kept for somebody to look at, and `login` the ssh line.
    """

    exit_code = 1
    aftermath = ""
    console = ""
    kept = ""
    login = ""

    def __init__(self, problem: str, *, advice: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        return "\n".join(part for part in (self.problem, self.aftermath, self.advice) if part)

    def learn_from(self, cause: DeployError) -> None:
        """Take over what was found out about the failure that this one came of."""
        self.aftermath = self.aftermath or cause.aftermath
        self.console, self.kept = cause.console, cause.kept


class SettingsError(DeployError):
    """The settings or the command line are wrong; nothing was done."""

    exit_code = 2


class ReleaseError(DeployError):
    """The release could not be built or found; nothing was done."""

    exit_code = 3


class DeployRefused(DeployError):
    """The operator's own command did not allow the deploy; nothing was done."""

    exit_code = 3


class CloudError(DeployError):
    """A cloud API refused or failed.

    :param status: the HTTP status of its answer, 0 when there was none.
    :param request_id: what the cloud's own support asks for; empty when the answer had none.
    """

    exit_code = 3

    def __init__(self, problem: str, *, advice: str = "", status: int = 0, request_id: str = "") -> None:
        super().__init__(problem, advice=advice)
        self.status = status
        self.request_id = request_id


class CloudUnreachable(CloudError):
    """The API could not be reached, or failed at a read: nothing was changed, and asking again does no harm."""


class Uncertain(CloudError):
    """The answer was lost (a 5xx, a time-out): the request may have been carried out all the same."""


class Unauthorized(CloudError):
    """The credentials were refused."""


class NotFound(CloudError):
    """What was asked for does not exist, or no longer."""


class Conflict(CloudError):
    """The request contradicts the present state, such as a name or an address that is taken."""


class Immutable(CloudError):
    """The load balancer or server is busy with another change: look again."""


class OverLimit(CloudError):
    """Too many requests. `retry_after` is in seconds."""

    def __init__(self, problem: str, *, retry_after: float, status: int = 413, request_id: str = "") -> None:
        super().__init__(problem, status=status, request_id=request_id)
        self.retry_after = retry_after


class QuotaExceeded(CloudError):
    """A quota or a fixed limit (servers, RAM, nodes per load balancer) is reached: waiting does not help."""


class HostError(DeployError):
    """A server could not be reached or did not do what it was told.

    :param server: its name, or its private IP.
    """

    exit_code = 4

    def __init__(self, problem: str, *, server: str, advice: str = "") -> None:
        super().__init__(problem, advice=advice)
        self.server = server


class HostUnreachable(HostError):
    """SSH to the private IP did not work within the deadline."""


class ConnectionLost(HostUnreachable):
    """SSH worked, and was lost while a command ran: nobody knows whether it still runs."""


class UntrustedHost(HostError):
    """A server cannot be trusted: its SSH host keys cannot be found out."""


class WrongHostKey(UntrustedHost):
    """A server showed another SSH host key than it is known by: something else may answer at its address."""


class CommandFailed(HostError):
    """A command on a server exited with another code than 0.

    :param stage: set up, migrate, test, start …
    :param tail: the last lines of its output, control characters removed.
    """

    def __init__(self, *, server: str, stage: str, command: str, exit_code: int, tail: str) -> None:
        lines = "\n".join(f"    {line}" for line in tail.splitlines()) or "    (no output)"
        super().__init__(
            f"{stage} failed on {server}: {command} exited {exit_code}; its last output:\n{lines}", server=server
        )
        self.stage = stage
        self.command = command
        self.command_exit_code = exit_code
        self.tail = tail


class CheckFailed(HostError):
    """The app on a server did not answer its check as expected within the deadline."""


class RolloutError(DeployError):
    """The rollout itself could not go on."""

    exit_code = 4


class BuildFailed(RolloutError):
    """The cloud could not build a server, as often as we were willing to ask."""


class GuardRefused(RolloutError):
    """A delete or removal could have hit a live or foreign server. Always a bug or a race; nothing was done."""


class TooFew(GuardRefused):
    """A change would leave fewer servers in rotation than there were at the start. Looking again may help."""


class TimedOut(RolloutError):
    """What was waited for did not happen before the deadline."""


class Interrupted(RolloutError):
    """The operator pressed Ctrl-C, or another step failed and this one was told to stop."""


class RotationRefused(RolloutError):
    """The operator's own command did not allow the new servers to take over."""


class Breached(RolloutError):
    """What was watched after the new servers had taken over was not as it should be."""


class Claimed(RolloutError):
    """Another deploy holds the claim; nothing that serves was changed."""

    exit_code = 6


class ClaimLost(Claimed):
    """Our claim expired, or was taken over, while we held it; nothing more was changed."""


class Reverted(RolloutError):
    """The rotation had begun; the old nodes were put back first and the new servers removed."""

    exit_code = 5


class Unfinished(RolloutError):
    """Something remains that needs a hand; the message names it and the command that removes it."""

    exit_code = 7
