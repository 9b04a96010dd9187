"""Everything that can go wrong with secrets, each with one sentence that names the fix.

VaultError
├── NoOffice                 the folder holds no office and none may be created
├── StoreUnusable            the place that should keep the secrets cannot
│   ├── KeyringAbsent        nothing answers where a keyring should be
│   ├── KeyringLocked        it stayed locked, or its prompt was dismissed
│   ├── KeyringPromptTimeout nobody answered its prompt in time
│   ├── KeyringRefused       the configured backend is not a safe place
│   │   └── KeyringSettingsDamaged  the file that chooses a backend cannot be read
│   ├── KeyringLying         what was written did not come back
│   ├── KeyringGone          it answered before and no longer does
│   └── KeyringChanged       another backend answers than the one that holds the keys
├── KeysMissing              the item with the master keys is gone
├── KeysDamaged              the item with the master keys cannot be read
├── KeyNotFound              the item of one provider key is gone
├── SealedFileDamaged        the sealed file of one secret cannot be opened
├── SlotsDamaged             keyslots.json cannot be read
├── OfficeTooNew             a later version of Bureau wrote it
├── ReadingFailed            the system does not let a file be read
├── PassphraseNeeded         the office opens with a passphrase and none was given
├── PassphraseWrong          the passphrase does not open it
├── PassphraseTooShort       too short to protect an office
├── PassphraseNotUsed        the office keeps its keys in a keyring, not behind a passphrase
├── RecoveryKeyWrong         the words are not this office's recovery key
├── RecoveryKeyAbsent        no recovery key was ever made
├── BackupKeyAbsent          a backup does not open in the way that was tried
├── BackupSlotsDamaged       the head of a backup cannot be read
├── NoPendingKey             a rekey is to be finished that was never begun
└── SavingFailed             the disk is full, read-only or failing; nothing was changed
"""

from resources.language import gettext as _


class VaultError(Exception):
    """Base of every error of this package; ``str()`` is a sentence for people."""


class NoOffice(VaultError):
    def __init__(self, folder: str) -> None:
        super().__init__(_("There is no office in {folder}; check --home.").format(folder=folder))


class StoreUnusable(VaultError):
    """The place that should keep the secrets cannot be used now."""


class KeyringAbsent(StoreUnusable):
    def __init__(self) -> None:
        super().__init__(
            _(
                "No system keyring is running; start one (GNOME Keyring or KDE Wallet), "
                "or use --passphrase-file to protect the office with a passphrase."
            )
        )


class KeyringLocked(StoreUnusable):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("{name} is locked; unlock it with your login password and try again.").format(name=name)
        )


class KeyringPromptTimeout(StoreUnusable):
    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(
            _("{name} did not answer within {seconds} seconds; answer its prompt and try again.").format(
                name=name, seconds=f"{seconds:g}"
            )
        )


class KeyringRefused(StoreUnusable):
    def __init__(self, backend: str, source: str) -> None:
        super().__init__(
            _(
                "{source} names the keyring backend {backend}, which does not keep secrets safe; "
                "remove that setting, or use --passphrase-file."
            ).format(source=source, backend=backend)
        )


class KeyringSettingsDamaged(KeyringRefused):
    def __init__(self, file: str) -> None:
        StoreUnusable.__init__(
            self,
            _("{file} chooses the keyring but cannot be read; repair or remove it.").format(file=file),
        )


class KeyringLying(StoreUnusable):
    def __init__(self, name: str) -> None:
        super().__init__(
            _(
                "{name} accepted a test value but did not give it back; repair the keyring, "
                "or use --passphrase-file."
            ).format(name=name)
        )


class KeyringGone(StoreUnusable):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("{name} stopped while Bureau was running; unlock it again, or log in again, and retry.").format(
                name=name
            )
        )


class KeyringChanged(StoreUnusable):
    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            _(
                "This office keeps its keys in {expected}, but {found} answers now; start {expected}, "
                "or move the office with its recovery key (bureau recovery unlock)."
            ).format(expected=expected, found=found)
        )


class KeysMissing(VaultError):
    def __init__(self, name: str, *, recoverable: bool) -> None:
        if recoverable:
            sentence = _(
                "The keys of this office are no longer in {name}; open it with the recovery key "
                "(bureau recovery unlock)."
            )
        else:
            sentence = _(
                "The keys of this office are no longer in {name} and it has no recovery key; "
                "restore the keyring from a backup."
            )
        super().__init__(sentence.format(name=name))


class KeysDamaged(VaultError):
    def __init__(self, name: str) -> None:
        super().__init__(
            _(
                "The keys of this office in {name} are damaged; open it with the recovery key "
                "(bureau recovery unlock), or restore them from a backup."
            ).format(name=name)
        )


class KeyNotFound(VaultError):
    def __init__(self, name: str) -> None:
        super().__init__(_("This key is no longer in {name}; add it again.").format(name=name))


class SealedFileDamaged(VaultError):
    def __init__(self, file: str) -> None:
        super().__init__(
            _("The sealed file {file} is damaged; restore it from a backup, or add the key again.").format(
                file=file
            )
        )


class SlotsDamaged(VaultError):
    def __init__(self, file: str) -> None:
        super().__init__(
            _("{file} is damaged or missing and so is its copy; restore it from a backup.").format(file=file)
        )


class OfficeTooNew(VaultError):
    def __init__(self, file: str) -> None:
        super().__init__(
            _("{file} was written by a later version of Bureau; update Bureau to open this office.").format(
                file=file
            )
        )


class ReadingFailed(VaultError):
    def __init__(self, file: str, reason: str) -> None:
        super().__init__(
            _("{file} cannot be read ({reason}); make it readable for you and try again.").format(
                file=file, reason=reason
            )
        )


class PassphraseNeeded(VaultError):
    def __init__(self) -> None:
        super().__init__(
            _("This office opens with a passphrase; enter it, or give a file with --passphrase-file.")
        )


class PassphraseWrong(VaultError):
    def __init__(self) -> None:
        super().__init__(_("The passphrase does not open this office; try again, or use the recovery key."))


class PassphraseTooShort(VaultError):
    def __init__(self, least: int) -> None:
        super().__init__(_("Choose a passphrase of at least {least} characters.").format(least=least))


class PassphraseNotUsed(VaultError):
    def __init__(self, name: str) -> None:
        super().__init__(
            _("This office keeps its keys in {name}; open it without --passphrase-file.").format(name=name)
        )


class RecoveryKeyWrong(VaultError):
    """The words are not the recovery key; the message says which kind of mistake it is."""

    @classmethod
    def count(cls, found: int) -> "RecoveryKeyWrong":
        return cls(_("A recovery key has 24 words, these are {found}; enter all 24.").format(found=found))

    @classmethod
    def word(cls, position: int) -> "RecoveryKeyWrong":
        return cls(
            _("Word {position} is not a word of a recovery key; check its spelling.").format(
                position=position
            )
        )

    @classmethod
    def checksum(cls) -> "RecoveryKeyWrong":
        return cls(_("Two words are swapped or one is another; compare the recovery key word by word."))

    @classmethod
    def other(cls) -> "RecoveryKeyWrong":
        return cls(_("This recovery key does not open this office; use the one that was shown last for it."))


class RecoveryKeyAbsent(VaultError):
    def __init__(self) -> None:
        super().__init__(
            _("No recovery key was made for this office; restore the keyring it was created with.")
        )


class BackupKeyAbsent(VaultError):
    def __init__(self) -> None:
        super().__init__(
            _("This backup does not open that way: give the recovery key or the passphrase its office had.")
        )


class BackupSlotsDamaged(VaultError):
    def __init__(self) -> None:
        super().__init__(_("The head of this backup is damaged: use another backup."))


class NoPendingKey(VaultError):
    def __init__(self) -> None:
        super().__init__(_("No change of the database key is pending; begin one first."))


class SavingFailed(VaultError):
    """A file could not be written; the former content is intact."""

    @classmethod
    def full(cls, file: str) -> "SavingFailed":
        return cls(
            _("The disk is full, so {file} was not changed; free some space and try again.").format(file=file)
        )

    @classmethod
    def refused(cls, file: str, reason: str) -> "SavingFailed":
        return cls(
            _("{file} cannot be written ({reason}); make its folder writable and try again.").format(
                file=file, reason=reason
            )
        )
