"""``bureau export``, ``verify`` and ``import``: their options and what they show."""

from pathlib import Path
from typing import Any

import click

from desktop.command_line.authentication import authenticated, run_as_owner
from desktop.command_line.passphrase import read_passphrase, read_secret
from resources.language import gettext as _

PLACE = click.Path(path_type=Path)
THERE = click.Path(exists=True, path_type=Path)
TEXT = click.Path(exists=True, dir_okay=False, path_type=Path)
CATEGORIES = (
    *("conversations", "files", "notes", "team", "connections", "usage", "outbox", "audit", "settings"),
    *("consents", "copies"),
)


def _run(context: click.Context, command: str, **arguments: Any) -> int:
    from desktop.command_line.session import run

    return run(context.obj, command, arguments)


@click.command("export")
@click.argument("path", type=PLACE)
@click.option("--since", default="", help=_("Only from a day on, as 2026-01-31, or 12mo for the last year."))
@click.option("--agent", default="", help=_("Only what this agent was part of."))
@click.option("--conversation", default="", help=_("Only this conversation."))
@click.option("--category", "categories", multiple=True, type=click.Choice(CATEGORIES))
@click.option("--with-embeddings", is_flag=True, help=_("The vectors of the search index as well."))
@click.option("--encrypt", is_flag=True, help=_("Ask for a passphrase and encrypt with it (age)."))
@click.option("--encrypt-with", type=TEXT, help=_("Encrypt with the passphrase in this file (age)."))
@click.option("--recipient", "recipients", multiple=True, help=_("Encrypt for this age recipient."))
@click.option("--include-secrets", is_flag=True, help=_("Your keys as well; only with encryption."))
@click.option("--replace", is_flag=True, help=_("Replace what is there."))
@authenticated
@click.pass_context
def export(
    context: click.Context,
    /,
    path: Path,
    encrypt: bool,
    encrypt_with: Path | None,
    authenticate_with: Path | None,
    **options: Any,
) -> int:
    """Write everything the office holds to a file (.aofx) or, without an ending, to a folder."""
    passphrase = read_passphrase(encrypt_with) if encrypt_with else ""
    if encrypt and not passphrase:
        passphrase = str(click.prompt(_("Passphrase"), hide_input=True, confirmation_prompt=True, err=True))
    options["recipients"], options["categories"] = list(options["recipients"]), list(options["categories"])
    arguments = {"path": str(path.absolute()), "passphrase": passphrase, **options}
    return run_as_owner(context.obj, "export", arguments, passphrase_file=authenticate_with)


@click.command("verify")
@click.argument("path", type=THERE)
@click.option("--decrypt-with", type=TEXT, help=_("The passphrase of an encrypted export, in this file."))
@click.option("--identity", type=TEXT, help=_("A file of age identities that opens it."))
@click.pass_context
def verify(context: click.Context, path: Path, decrypt_with: Path | None, identity: Path | None) -> int:
    """Check an export: every byte, every record and its signature. Nothing is changed."""
    opened = _opening(path, decrypt_with, identity)
    return _run(context, "verify", path=str(path.absolute()), **opened)


@click.command("import")
@click.argument("path", type=THERE)
@click.option("--preview", is_flag=True, help=_("Only show what would come in."))
@click.option("--keep", type=click.Choice(["mine", "theirs"]), help=_("Which of two forms stays."))
@click.option("--bring-back-erased", is_flag=True, help=_("Also what was erased here."))
@click.option("--decrypt-with", type=TEXT, help=_("The passphrase of an encrypted export, in this file."))
@click.option("--identity", type=TEXT, help=_("A file of age identities that opens it."))
@click.pass_context
def import_(
    context: click.Context, /, path: Path, decrypt_with: Path | None, identity: Path | None, **options: Any
) -> int:
    """Bring in an export of Bureau, ChatGPT or Claude, wholly or not at all."""
    opened = _opening(path, decrypt_with, identity)
    options["keep"] = options["keep"] or ""
    return _run(context, "import", path=str(path.absolute()), **opened, **options)


def _opening(path: Path, passphrase_file: Path | None, identity: Path | None) -> dict[str, Any]:
    passphrase = read_passphrase(passphrase_file) if passphrase_file else ""
    identities = [
        line.strip()
        for line in (read_secret(identity).splitlines() if identity else [])
        if line.strip() and not line.startswith("#")
    ]
    if path.suffix == ".age" and not passphrase and not identities:
        passphrase = str(click.prompt(_("Passphrase"), hide_input=True, err=True))
    return {"passphrase": passphrase, "identities": identities}
