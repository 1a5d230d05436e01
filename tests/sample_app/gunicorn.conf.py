"""How gunicorn serves the guestbook; the address comes on its command line."""

workers = 1
# Threads, not processes: a slow request or an idle keep-alive connection must not hold up the next one.
threads = 8
# Longer than a load balancer keeps an idle connection, so that the server is never the one to close it first:
# a request sent just then would fail.
keepalive = 75
graceful_timeout = 30
accesslog = "-"
# The socket of gunicornc would lie in the home of the user; disposable servers are replaced, not steered.
control_socket_disable = True
