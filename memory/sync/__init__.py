"""OfficeSync v1, so far as pure functions: what devices of one owner exchange, and how they agree.

Nothing here opens a connection, reads a clock or writes a file. Ids are 32 hexadecimal digits, as everywhere; instants
are milliseconds UTC. Every refusal is one of `memory.sync.errors`.
"""
