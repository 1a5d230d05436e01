"""The local cloud: compute, identity and load balancers on loopback. Imports nothing of the rest of tasks/."""
