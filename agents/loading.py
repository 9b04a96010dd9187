"""Importing the agent loop and the providers' SDKs: off the window's thread, and by one thread at a time.

Their packages import each other in circles: two threads that begin at different ends see half of a module. Every
first import of them therefore begins here.
"""

import sys
import threading

_lock = threading.Lock()


def load_agent_loop() -> None:
    """Import the agent loop; blocks for most of a second the first time."""
    with _lock:
        if "httpx" not in sys.modules:
            # Its command line, and with it all of Pygments and Rich, is imported where these happen to be installed.
            sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: cannot be imported
        import pydantic_ai
        import pydantic_ai.models.wrapper
        import pydantic_ai.toolsets

        # On a terminal it would print its name and an advertisement between the office's own lines.
        pydantic_ai.BANNER_ENABLED = False
        # Else built when the first step is kept, on the window's thread.
        pydantic_ai.messages.ModelMessagesTypeAdapter.rebuild()


def load_provider(kind: str) -> None:
    """Import the agent loop and the SDK of a kind of connection; blocks for a second or two the first time."""
    load_agent_loop()
    with _lock:
        if kind == "anthropic":
            import pydantic_ai.models.anthropic
        else:
            import pydantic_ai.models.openai  # noqa: F401  imported for those who use it afterwards
