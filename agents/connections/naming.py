"""What a connection is called in a sentence: the provider, and which of its keys."""

from urllib.parse import urlsplit

from agents.connections.presets import preset, preset_of
from memory.accounts import Connection
from resources.language import gettext as _


def spoken(connection: Connection) -> str:
    """Return the provider with the label of its key, as ``Anthropic (key “work”)``; once where both are the same."""
    known = preset_of(connection.kind, connection.base_url)
    if not known.base_url and connection.preset:
        known = preset(connection.preset)
    provider = known.name if known.base_url else urlsplit(connection.base_url).netloc
    label = connection.label
    if label.casefold() in (provider.casefold(), known.name.casefold()):
        return provider
    if not connection.mask:
        return _("{provider} (“{label}”)").format(provider=provider, label=label)
    return _("{provider} (key “{label}”)").format(provider=provider, label=label)
