"""Identity: the user, the project, and what has been given out to log in with."""
