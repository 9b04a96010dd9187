"""Turns an exception into the sentence that its owner reads."""

from resources.language import gettext as _


def is_for_people(error: BaseException) -> bool:
    """Say whether the exception's own text is a sentence for people (it belongs to one of our trees)."""
    module = type(error).__module__.split(".")[0]
    return module in ("agents", "vault", "memory", "resources", "desktop")


def sentence_of(error: BaseException) -> str:
    """Return one sentence for a person; what is no exception of ours is named, its text stays in the log."""
    if is_for_people(error) and str(error):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        name = f" ({error.filename})" if error.filename else ""
        return _("The system refused: {reason}{file}.").format(reason=error.strerror, file=name)
    return _("Something went wrong that Bureau did not expect ({kind}). The log has the details.").format(
        kind=type(error).__name__
    )
