"""Test clients that ask the way visitors and load balancers do, and a database that refuses to answer."""

from functools import partial

from django.db import OperationalError
from django.test import Client

by_address = staticmethod(partial(Client, headers={"host": "10.0.0.7:8080"}))
with_csrf_checks = staticmethod(partial(Client, headers={"host": "10.0.0.7:8080"}, enforce_csrf_checks=True))


def no_database(_execute, sql, _params, _many, _context):
    """Refuse every statement (for `connection.execute_wrapper`)."""
    raise OperationalError(f"db.internal does not answer: {sql}")
