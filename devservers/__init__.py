"""The servers that `make run` and the tests bring along: PostgreSQL, Valkey, a mailbox, and a proxy that breaks things.

Nothing of the application imports this package, and this package imports nothing of the application: it only
starts processes and hands out addresses. In production each of them is replaced by the real thing through one
environment variable.
"""
