"""The librarian answers with no key and no network, by quoting what the office holds.

``planning`` decides by rule what it does next, ``answering`` makes its answers out of quotations, and
``model`` is both as a model for the agent loop that every agent runs through.
"""
