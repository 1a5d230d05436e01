"""The HTTP faces of the local cloud, as the real services document them."""
