"""The servers of the local cloud: real processes in namespaces of their own."""
