"""A run as one page that needs nothing but itself: when what was done where, and what went wrong."""
