"""The collection: what `fab --list` and `inv --list` show."""

from __future__ import annotations

from invoke.collection import Collection

from tasks import deploy, doctor, history, init, local, node, reap, rollback, rotate, servers

ns = Collection(
    deploy.deploy,
    deploy.plan,
    deploy.status,
    doctor.doctor,
    rotate.rotate,
    rollback.rollback,
    rollback.abort,
    reap.reap,
)
for stage in (node.setup, node.migrate, node.test, node.check):
    ns.add_task(stage)
ns.add_task(history.history)
ns.add_task(init.init)
ns.add_collection(Collection.from_module(servers, name="servers"))
ns.add_collection(Collection.from_module(local, name="local"))
