"""Bad days on request: what can go wrong in the local cloud, when it is told to."""
