"""Every command, its arguments and its help. What a command does is in ``agents/commands``."""

import sys
from pathlib import Path
from typing import Any

import click

from desktop.command_line import transferring
from desktop.command_line.backup_commands import backup
from desktop.command_line.lock_commands import lock
from desktop.command_line.options import GlobalOptions
from desktop.command_line.privacy_commands import privacy
from desktop.command_line.sync_commands import sync
from resources.language import gettext as _

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _run(context: click.Context, command: str, **arguments: Any) -> int:
    from desktop.command_line.session import run

    options: GlobalOptions = context.obj
    return run(options, command, arguments)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_("Every command takes --home DIR, --json and --passphrase-file FILE, anywhere."),
)
@click.version_option(package_name="bureau", message="bureau %(version)s")
def office_commands() -> None:
    """Bureau: an office of AI agents on your own keys. Without a command it opens the window."""


office_commands.add_command(backup)
office_commands.add_command(privacy)
office_commands.add_command(lock)
office_commands.add_command(sync)


@office_commands.command()
@click.option("--agent", default="", help=_("Who answers; otherwise @names in the prompt, or the default."))
@click.option("--file", "files", multiple=True, type=FILE, help=_("A file to read; may be repeated."))
@click.option("--conversation", default="", help=_("Go on in this conversation."))
@click.argument("prompt", nargs=-1, required=True)
@click.pass_context
def ask(
    context: click.Context, agent: str, files: tuple[Path, ...], conversation: str, prompt: tuple[str, ...]
) -> int:
    """Ask the office one question; “-” as the prompt reads it from standard input."""
    text = " ".join(prompt)
    if text == "-":
        text = sys.stdin.read()
    paths = [str(path.absolute()) for path in files]
    return _run(context, "ask", agent=agent, files=paths, conversation=conversation, prompt=text)


@office_commands.command()
@click.option("--agent", default="", help=_("Who answers."))
@click.pass_context
def chat(context: click.Context, agent: str) -> int:
    """Hold a conversation in the terminal."""
    from desktop.command_line.conversation import converse

    return converse(context.obj, agent)


@office_commands.command()
@click.pass_context
def paths(context: click.Context) -> int:
    """Show where the office keeps its things."""
    from desktop.command_line.places import show_paths
    from memory.locations import Locations

    options: GlobalOptions = context.obj
    show_paths(Locations.find(options.home), as_json=options.as_json)
    return 0


for _command in (transferring.export, transferring.verify, transferring.import_):
    office_commands.add_command(_command)


@office_commands.group()
def keys() -> None:
    """Provider keys: add, list, check, rotate, remove."""


@keys.command("add")
@click.argument("kind", type=click.Choice(["anthropic", "openai", "openai-compatible"]))
@click.option("--label", default="", help=_("What you call it."))
@click.option("--base-url", default="", help=_("Address of the API, for compatible servers and proxies."))
@click.option("--model", default="", help=_("Model used where an agent names none."))
@click.option("--stdin", "from_stdin", is_flag=True, help=_("Read the key from standard input."))
@click.pass_context
def keys_add(
    context: click.Context, kind: str, label: str, base_url: str, model: str, from_stdin: bool
) -> int:
    """Keep a key in the vault. It is asked for, or read with --stdin, never taken from an argument."""
    key = _key_text(from_stdin)
    return _run(context, "keys add", kind=kind, label=label, base_url=base_url, model=model, key=key)


@keys.command("list")
@click.pass_context
def keys_list(context: click.Context) -> int:
    """List the keys by label and fingerprint."""
    return _run(context, "keys list")


@keys.command("check")
@click.argument("key", default="")
@click.pass_context
def keys_check(context: click.Context, key: str) -> int:
    """Check a key in five steps; without a name, every key."""
    return _run(context, "keys check", key=key)


@keys.command("rotate")
@click.argument("key")
@click.option("--stdin", "from_stdin", is_flag=True, help=_("Read the new key from standard input."))
@click.pass_context
def keys_rotate(context: click.Context, key: str, from_stdin: bool) -> int:
    """Put a new key in the place of an old one, once the provider accepts it."""
    return _run(context, "keys rotate", key=key, new_key=_key_text(from_stdin))


@keys.command("remove")
@click.argument("key")
@click.pass_context
def keys_remove(context: click.Context, key: str) -> int:
    """Destroy a key on this machine and show where to revoke it."""
    return _run(context, "keys remove", key=key)


@office_commands.group()
def agents() -> None:
    """Who works here: list, show, add, edit, remove, export, import."""


@agents.command("list")
@click.pass_context
def agents_list(context: click.Context) -> int:
    """List the agents."""
    return _run(context, "agents list")


@agents.command("show")
@click.argument("name")
@click.pass_context
def agents_show(context: click.Context, name: str) -> int:
    """Show one agent as Markdown."""
    return _run(context, "agents show", name=name)


@agents.command("add")
@click.argument("name")
@click.option("--role", default="")
@click.option("--instructions", default="")
@click.option("--model", default="")
@click.pass_context
def agents_add(context: click.Context, name: str, role: str, instructions: str, model: str) -> int:
    """Add an agent."""
    return _run(context, "agents add", name=name, role=role, instructions=instructions, model=model)


@agents.command("edit")
@click.argument("name")
@click.option("--file", "file", type=FILE, help=_("Markdown to take instead of opening the editor."))
@click.pass_context
def agents_edit(context: click.Context, name: str, file: Path | None) -> int:
    """Edit an agent's Markdown in $EDITOR."""
    from desktop.command_line.editing import edit_agent

    return edit_agent(context.obj, name, file)


@agents.command("remove")
@click.argument("name")
@click.pass_context
def agents_remove(context: click.Context, name: str) -> int:
    """Archive an agent; what it said keeps its name."""
    return _run(context, "agents remove", name=name)


@agents.command("export")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.pass_context
def agents_export(context: click.Context, name: str, path: Path | None) -> int:
    """Write an agent as Markdown to a file, or to standard output."""
    return _run(context, "agents export", name=name, path=str(path.absolute()) if path else "")


@agents.command("import")
@click.argument("path", type=FILE)
@click.pass_context
def agents_import(context: click.Context, path: Path) -> int:
    """Add an agent from a Markdown file."""
    return _run(context, "agents import", path=str(path.absolute()))


@office_commands.group()
def memory() -> None:
    """What the office remembers: search, why, list, add, accept, forget, rebuild."""


@memory.command("search")
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", default=10, type=click.IntRange(1, 100))
@click.pass_context
def memory_search(context: click.Context, query: tuple[str, ...], limit: int) -> int:
    """Search conversations, files and notes."""
    return _run(context, "memory search", query=" ".join(query), limit=limit)


@memory.command("why")
@click.argument("query", nargs=-1, required=True)
@click.pass_context
def memory_why(context: click.Context, query: tuple[str, ...]) -> int:
    """Show how each hit was found: source, scores of each leg, cut-off."""
    return _run(context, "memory why", query=" ".join(query))


@memory.command("list")
@click.option("--proposed", is_flag=True, help=_("Only what waits for your yes."))
@click.pass_context
def memory_list(context: click.Context, proposed: bool) -> int:
    """List the notes."""
    return _run(context, "memory list", proposed=proposed)


@memory.command("add")
@click.argument("text", nargs=-1, required=True)
@click.option("--kind", default="fact", type=click.Choice(["core", "fact", "preference", "procedure"]))
@click.pass_context
def memory_add(context: click.Context, text: tuple[str, ...], kind: str) -> int:
    """Add a note."""
    return _run(context, "memory add", text=" ".join(text), kind=kind)


@memory.command("accept")
@click.argument("note")
@click.pass_context
def memory_accept(context: click.Context, note: str) -> int:
    """Accept a note that an agent proposed."""
    return _run(context, "memory accept", note=note)


@memory.command("forget")
@click.argument("note")
@click.pass_context
def memory_forget(context: click.Context, note: str) -> int:
    """Put a note into the trash; it is recalled no more."""
    return _run(context, "memory forget", note=note)


@memory.command("rebuild")
@click.pass_context
def memory_rebuild(context: click.Context) -> int:
    """Build the full text and the vector index anew from the database."""
    return _run(context, "memory rebuild")


@office_commands.group(invoke_without_command=True)
@click.pass_context
def runs(context: click.Context) -> int | None:
    """Answers that are not finished: list, resume, discard. Alone, it lists them."""
    return _run(context, "runs list", ended=False) if context.invoked_subcommand is None else None


@runs.command("list")
@click.option("--ended", is_flag=True, help=_("Also what failed or was stopped, and can be resumed."))
@click.pass_context
def runs_list(context: click.Context, ended: bool) -> int:
    """List the runs that were interrupted, wait or are at work."""
    return _run(context, "runs list", ended=ended)


@runs.command("resume")
@click.argument("run")
@click.pass_context
def runs_resume(context: click.Context, run: str) -> int:
    """Go on with a run that was interrupted, stopped or failed, and show its answer."""
    return _run(context, "runs resume", run=run)


@runs.command("discard")
@click.argument("run")
@click.pass_context
def runs_discard(context: click.Context, run: str) -> int:
    """Give up a run that was interrupted or waits; what it wrote stays."""
    return _run(context, "runs discard", run=run)


@office_commands.command()
@click.option("--by", default="day", type=click.Choice(["agent", "model", "day", "key"]))
@click.pass_context
def usage(context: click.Context, by: str) -> int:
    """Show tokens and cost."""
    return _run(context, "usage", by=by)


@office_commands.command()
@click.option("--limit", default=50, type=click.IntRange(1, 10_000))
@click.pass_context
def outbox(context: click.Context, limit: int) -> int:
    """Show every request that left this machine, and to whom."""
    return _run(context, "outbox", limit=limit)


@office_commands.command()
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    help=_("Also write what may help others to help you: no content, no names, no keys."),
)
@click.option("--preview", is_flag=True, help=_("Show what --bundle would write."))
@click.pass_context
def doctor(context: click.Context, bundle: Path | None, preview: bool) -> int:
    """Check keyring, database, index and keys: green, or what to do."""
    return _run(context, "doctor", bundle=str(bundle.absolute()) if bundle else "", preview=preview)


@office_commands.group()
def recovery() -> None:
    """The recovery key: make a new one, or open the office with it."""


@recovery.command("new")
@click.pass_context
def recovery_new(context: click.Context) -> int:
    """Show a new recovery key once, on the terminal itself."""
    from desktop.command_line.recovery import show_new_key

    return show_new_key(context.obj)


@recovery.command("passphrase")
@click.pass_context
def recovery_passphrase(context: click.Context) -> int:
    """Let another passphrase open the office."""
    from desktop.command_line.recovery import change_passphrase

    return change_passphrase(context.obj)


@recovery.command("unlock")
@click.option("--stdin", "from_stdin", is_flag=True, help=_("Read the recovery key from standard input."))
@click.pass_context
def recovery_unlock(context: click.Context, from_stdin: bool) -> int:
    """Open the office with the recovery key and put its keys back where they belong."""
    from desktop.command_line.recovery import unlock

    if from_stdin:
        return unlock(context.obj, sys.stdin.read())
    return unlock(context.obj, str(click.prompt(_("Recovery key"), hide_input=True, err=True)))


def _key_text(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.read().strip()
    return str(click.prompt(_("Key"), hide_input=True, err=True)).strip()
