"""``bureau privacy``: the arguments and help of its commands. What they do is in ``agents/commands/privacy``."""

import click

from desktop.command_line.backup_commands import run_command
from resources.language import gettext as _

PURPOSES = ("memory", "usage")


@click.group()
def privacy() -> None:
    """Your data: what is held, who receives it, what you agreed to."""


@privacy.command("data")
@click.pass_context
def privacy_data(context: click.Context) -> int:
    """Show what the office holds, by category."""
    return run_command(context, "privacy data")


@privacy.command("recipients")
@click.pass_context
def privacy_recipients(context: click.Context) -> int:
    """Show who receives your data, and what kinds of it."""
    return run_command(context, "privacy recipients")


@privacy.command("consents")
@click.pass_context
def privacy_consents(context: click.Context) -> int:
    """Show to whom you agreed to send, and since when no longer."""
    return run_command(context, "privacy consents")


@privacy.command("withdraw")
@click.argument("host")
@click.pass_context
def privacy_withdraw(context: click.Context, host: str) -> int:
    """Send nothing more to a recipient."""
    return run_command(context, "privacy withdraw", host=host)


@privacy.command("give")
@click.argument("host")
@click.pass_context
def privacy_give(context: click.Context, host: str) -> int:
    """Let a recipient be sent to again."""
    return run_command(context, "privacy give", host=host)


@privacy.command("purposes")
@click.pass_context
def privacy_purposes(context: click.Context) -> int:
    """Show what is done with your data beyond answering, for the office and for each agent."""
    return run_command(context, "privacy purposes")


@privacy.command("object")
@click.argument("purpose", type=click.Choice(PURPOSES))
@click.option("--agent", default="", help=_("Only for this agent; otherwise for the whole office."))
@click.pass_context
def privacy_object(context: click.Context, purpose: str, agent: str) -> int:
    """Switch a purpose off."""
    return run_command(context, "privacy switch", purpose=purpose, agent=agent, on=False)


@privacy.command("allow")
@click.argument("purpose", type=click.Choice(PURPOSES))
@click.option("--agent", default="", help=_("Only for this agent; otherwise for the whole office."))
@click.pass_context
def privacy_allow(context: click.Context, purpose: str, agent: str) -> int:
    """Switch a purpose on again."""
    return run_command(context, "privacy switch", purpose=purpose, agent=agent, on=True)
