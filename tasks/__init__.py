"""Disposable servers: the task collection that `fab` and `inv` offer."""
