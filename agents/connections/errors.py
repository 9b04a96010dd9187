"""What can go wrong between the office and a provider.

ProviderError
├── KeyMissing        the vault holds no key for this connection
├── KeyRejected       the provider does not accept the key (wrong, empty, revoked)
├── NoCredit          the key is right, the account has nothing left to spend
├── RateLimited       too many requests for now; ``retry_after`` seconds when the provider said so
├── Overloaded        the provider is busy or broken for now (500–599)
├── ModelUnknown      the provider has no such model for this key
├── AddressWrong      something answers at the address, but not this kind of API
├── ConsentWithdrawn  its owner wants nothing more to be sent there
├── RecipientNotAllowed  its owner keeps the agent from this recipient
├── Offline           nothing could be reached
├── TimedOut          the provider did not answer in time
├── StreamCut         the reply broke off
├── ReplyMalformed    the reply could not be read
├── ContextTooLong    more was sent than the model can read
└── RequestRefused    the provider refused this request for another reason
"""


class ProviderError(Exception):
    """A fault between the office and a provider, told in one sentence that names the fix."""

    passing = False
    """Whether the same request may succeed a little later."""

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        """Seconds that the provider asked to wait; None where it said nothing."""


class KeyMissing(ProviderError):
    """The vault holds no key for this connection."""


class KeyRejected(ProviderError):
    """The provider does not accept the key."""


class NoCredit(ProviderError):
    """The account behind the key has nothing left to spend."""


class RateLimited(ProviderError):
    """Too many requests for now."""

    passing = True


class Overloaded(ProviderError):
    """The provider is busy or broken for now."""

    passing = True


class ModelUnknown(ProviderError):
    """The provider has no such model for this key."""


class AddressWrong(ProviderError):
    """Something answers at the address, but not this kind of API."""


class ConsentWithdrawn(ProviderError):
    """The owner wants nothing more to be sent there."""


class RecipientNotAllowed(ProviderError):
    """The owner keeps the agent from this recipient."""


class Offline(ProviderError):
    """Nothing could be reached."""


class TimedOut(ProviderError):
    """The provider did not answer in time."""


class StreamCut(ProviderError):
    """The reply broke off."""


class ReplyMalformed(ProviderError):
    """The reply could not be read."""


class ContextTooLong(ProviderError):
    """More was sent than the model can read."""


class RequestRefused(ProviderError):
    """The provider refused this request for another reason."""
