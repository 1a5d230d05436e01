"""The benchmarks need what the stories need: an operator with a cloud of their own."""

from tests.stories.conftest import caches, newcomer

__all__ = ["caches", "newcomer"]
