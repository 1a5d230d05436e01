"""The operator's own commands at turning points, as real processes. How one is run is specified in `test_watcher`."""

import pytest

from tasks.errors import Interrupted
from tasks.hosts.hooks import CommandHooks

LONG = 60.0


def test_the_command_of_that_name_is_run(tmp_path):
    """It is told by its environment, and no other command is run with it."""
    made = tmp_path / "made"
    hooks = CommandHooks({"before_deploy": f'echo "$DEPLOY_APP" >> {made}', "after_deploy": "exit 1"}, LONG)

    assert hooks.run("before_deploy", {"DEPLOY_APP": "shop"}) == ""
    assert made.read_text() == "shop\n"


def test_a_failure_is_told_with_the_end_of_the_output():
    """What is printed may hold a secret, which is hidden."""
    hide = str.maketrans({"k": "*"})
    hooks = CommandHooks({"on_failure": "echo kkk; exit 3"}, LONG, hide=lambda text: text.translate(hide))

    assert hooks.run("on_failure", {}) == "`echo ***; exit 3` exited 3; its last output:\n    ***"


@pytest.mark.parametrize("commands", [{}, {"after_rotate": ""}])
def test_no_command_is_no_problem(commands):
    """Whoever has set none is asked for none."""
    assert CommandHooks(commands, LONG).run("after_rotate", {}) == ""


def test_a_command_that_takes_too_long_is_ended():
    """The deadline is one for all."""
    told = CommandHooks({"before_rotate": "exec sleep 1000"}, 0.2).run("before_rotate", {})

    assert told == "`exec sleep 1000` did not end within 0.2 s, without any output"


def test_after_a_stop_none_is_run_until_that_is_allowed():
    """What was begun is undone first."""
    hooks = CommandHooks({"on_failure": "exit 0"}, LONG)
    hooks.stop()
    with pytest.raises(Interrupted):
        hooks.run("on_failure", {})
    hooks.close()

    assert hooks.run("on_failure", {}) == ""
