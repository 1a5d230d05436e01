"""Whether this server can serve visitors: its database answers and has at least the schema of this release."""

import logging
from dataclasses import dataclass

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Health:
    """What was seen of the database. Its error stays in the log: it may name hosts and users."""

    database: str
    pending_migrations: tuple[str, ...] = ()

    @property
    def fit(self) -> bool:
        """Whether visitors may be sent here."""
        return self.database == "ok" and not self.pending_migrations

    @classmethod
    def observe(cls) -> "Health":
        """Look at the database. A schema newer than this release is fine: old servers serve on while new ones come."""
        try:
            executor = MigrationExecutor(connection)
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError:
            log.exception("The database does not answer")
            return cls(database="unreachable")
        return cls(database="ok", pending_migrations=tuple(str(migration) for migration, _ in plan))
