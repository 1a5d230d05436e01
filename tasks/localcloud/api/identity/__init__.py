"""The HTTP faces of identity: v2.0, v3 and the catalog."""
