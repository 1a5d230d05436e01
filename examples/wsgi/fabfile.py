from tasks import ns  # noqa: F401  the tasks of disposable-servers: fab --list
