"""``bureau privacy``: the arguments and help of its commands. What they do is in ``agents/commands/privacy``."""

import click

from desktop.command_line.backup_commands import run_command


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
