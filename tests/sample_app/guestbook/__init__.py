"""The guestbook: a small Django site that shows which release and which server answered."""
