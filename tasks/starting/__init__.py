"""Starting with an app of one's own: what it is, seen from its files, and the files that make it deployable."""
