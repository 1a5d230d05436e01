"""Deploys that end without saying so: what the next operator finds."""

from tasks.rollout import deploying


def killed_at(world, call, wanted):
    """Let somebody's deploy be killed when it makes this call; give the site of somebody else at the same machine."""
    ada = world.operator("ada")

    def script(now):
        if now == call and ada.process.alive:
            world.kernel.after(0.0, ada.die)

    world.fault = script
    ada.start(lambda operator: deploying.deploy(wanted, operator.site))
    world.kernel.run(enough=lambda: ada.is_done)
    world.kernel.let_pass(10.0)
    world.fault = lambda _call: None
    assert not ada.process.alive, f"nobody has called {call}"
    return world.operator("bob", machine="ada").site
