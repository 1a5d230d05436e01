"""The benchmarks need what the stories need: an operator with a cloud of their own."""

from tests.stories.conftest import caches, operator

__all__ = ["caches", "operator"]
