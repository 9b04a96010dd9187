"""Builds the agent loop's model of a connection on the official SDK's client."""

from typing import TYPE_CHECKING

from agents.connections.clients import anthropic_client, openai_client
from agents.connections.presets import preset_of
from agents.loading import load_provider
from memory.accounts import Connection

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model


def build(connection: Connection, model: str, http: "httpx2.AsyncClient") -> "Model":
    """Return the model class of the connection's kind, speaking through ``http``."""
    load_provider(connection.kind)
    if connection.kind == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(
            model, provider=AnthropicProvider(anthropic_client=anthropic_client(connection, http))
        )
    if connection.kind == "openai":
        from pydantic_ai.models.openai import OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        return OpenAIResponsesModel(
            model, provider=OpenAIProvider(openai_client=openai_client(connection, http))
        )
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    name = preset_of(connection.kind, connection.base_url).id
    return OpenAIChatModel(
        model,
        provider=OpenAICompatibleProvider(name, openai_client=openai_client(connection, http)),
        # Compatible servers take the older field; several refuse a request that holds the newer one.
        profile=OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False),
    )
