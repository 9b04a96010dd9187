"""Provider accounts: their clients, models, prices, the check of a key and local servers."""

from agents.connections.accounts import Connections

__all__ = ["Connections"]
