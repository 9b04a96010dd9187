"""How the service is run: one flat table of settings, from a TOML file and from the environment.

``BUREAU_HOSTED_NAME`` in the environment wins over ``name`` in the file. Every wrong value is refused with a sentence.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from memory.sync.hosted.errors import SettingsInvalid
from resources.language import gettext as _

PREFIX = "BUREAU_HOSTED_"
FILE_VARIABLE = PREFIX + "SETTINGS"
_MOST_BYTES = 5 * 2**30


@dataclass(frozen=True)
class Settings:
    """The settings; times in days unless the name says otherwise, sizes in bytes."""

    data: Path = Path("bureau-hosted")
    """The folder of the databases, the blobs and the service's secret."""
    host: str = "127.0.0.1"
    port: int = 8460
    public_url: str = "http://127.0.0.1:8460"
    """How the service is reached from outside; its host is part of what devices sign."""
    trusted_proxies: str = ""
    """Addresses, with commas, whose X-Forwarded-For counts; none by default."""
    records_url: str = ""
    keys_url: str = ""
    ledger_url: str = ""
    """PostgreSQL databases; empty means a SQLite file in the folder."""
    secret_file: str = ""
    """Where the service's secret lies; empty means ``service.key`` in the folder."""
    s3_endpoint: str = ""
    s3_bucket: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: str = field(default="", repr=False)
    s3_secret_file: str = ""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_tls: str = "none"
    """``none``, ``starttls`` or ``tls``."""
    smtp_user: str = ""
    smtp_password_file: str = ""
    mail_from: str = "bureau@localhost"
    operator: str = "the operator of this service"
    operator_contact: str = ""
    region: str = "not declared"
    subprocessors_file: str = ""
    policy_version: str = "1"
    policy_effective: str = "2026-01-01"
    grace_days: int = 30
    purge_sla_days: int = 1
    key_backup_horizon_days: int = 1
    records_backup_horizon_days: int = 30
    promised_days: int = 35
    """Within how many days a deleted account is gone, as it is told to people."""
    push_ops: int = 200
    push_bytes: int = 4 * 2**20
    record_bytes: int = 2**20
    attachment_bytes: int = 100 * 2**20
    account_bytes: int = 2**30
    account_records: int = 100_000
    pushes_per_minute: int = 120
    pulls_per_minute: int = 600
    requests_per_minute_network: int = 3000
    magic_per_hour_address: int = 5
    magic_per_hour_network: int = 20
    exports_per_day: int = 4
    deletions_per_day: int = 3
    metrics: bool = False
    """Whether ``/metrics`` answers; only for a network that is yours."""

    @property
    def server(self) -> str:
        """The host that devices sign and receipts name, with its port if it has one."""
        return urlsplit(self.public_url).netloc

    @property
    def secure(self) -> bool:
        """Whether people reach the service over TLS."""
        return self.public_url.startswith("https:")


def load(file: Path | None, environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Read the settings; ``given`` come from the command line and win. Raises SettingsInvalid."""
    named = environment.get(FILE_VARIABLE)
    path = file or (Path(named) if named else None)
    values = _file_values(path) if path else {}
    for each in fields(Settings):
        if (text := environment.get(PREFIX + each.name.upper())) is not None:
            values[each.name] = text
    values |= {name: value for name, value in given.items() if value is not None}
    kinds = {each.name: type(each.default) for each in fields(Settings)}
    settings = replace(Settings(), **{name: _converted(name, kinds[name], values[name]) for name in values})
    return checked(settings)


def checked(settings: Settings) -> Settings:
    """Return the settings if the service can keep its word with them. Raises SettingsInvalid."""
    _check_address(settings)
    _check_numbers(settings)
    _check_stores(settings)
    needed = settings.grace_days + settings.purge_sla_days + settings.key_backup_horizon_days
    if needed > settings.promised_days:
        raise SettingsInvalid(
            _(
                "A deleted account would last {needed} days (grace_days + purge_sla_days + key_backup_horizon_days), "
                "but promised_days is {promised}. Lower one of the three, or raise what is promised."
            ).format(needed=needed, promised=settings.promised_days)
        )
    return settings


def _file_values(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as wrong:
        raise SettingsInvalid(
            _("The settings file {path} cannot be read: {reason}.").format(path=path, reason=wrong.strerror)
        ) from wrong
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingsInvalid(
            _("The settings file {path} is not TOML: {reason}.").format(path=path, reason=wrong)
        ) from wrong
    known = {each.name for each in fields(Settings)}
    if unknown := sorted(values.keys() - known):
        raise SettingsInvalid(
            _("There is no setting {name}; `bureau-hosted settings` lists them.").format(name=unknown[0])
        )
    return values


def _converted(name: str, kind: type, value: Any) -> Any:
    if issubclass(kind, Path):
        kind = Path
    try:
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        if kind is int and not isinstance(value, bool):
            return int(value)
        if kind in (str, Path) and isinstance(value, str | Path):
            return kind(value)
    except (KeyError, ValueError):
        pass
    wanted = {bool: _("true or false"), int: _("a whole number")}.get(kind, _("a text"))
    raise SettingsInvalid(
        _("The setting {name} must be {wanted}, not {value}.").format(name=name, wanted=wanted, value=value)
    )


def _check_address(settings: Settings) -> None:
    parts = urlsplit(settings.public_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
        raise SettingsInvalid(
            _("public_url must be like https://sync.example.org, without a path, not {value}.").format(
                value=settings.public_url
            )
        )
    if settings.smtp_tls not in ("none", "starttls", "tls"):
        raise SettingsInvalid(_("smtp_tls must be none, starttls or tls."))
    if "@" not in settings.mail_from:
        raise SettingsInvalid(_("mail_from must be a mail address."))


def _check_numbers(settings: Settings) -> None:
    zero_allowed = ("grace_days", "purge_sla_days", "key_backup_horizon_days", "records_backup_horizon_days")
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if type(value) is int and value < (0 if each.name in (*zero_allowed, "port") else 1):
            raise SettingsInvalid(_("The setting {name} is too small.").format(name=each.name))
    if settings.attachment_bytes > _MOST_BYTES:
        raise SettingsInvalid(_("attachment_bytes may be 5 GiB at most."))
    if not 0 <= settings.port <= 65535:
        raise SettingsInvalid(_("port must be between 0 and 65535."))


def _check_stores(settings: Settings) -> None:
    urls = (settings.records_url, settings.keys_url, settings.ledger_url)
    if any(urls):
        if not all(url.startswith("postgresql+asyncpg://") for url in urls):
            raise SettingsInvalid(
                _(
                    "records_url, keys_url and ledger_url must all be set, each like "
                    "postgresql+asyncpg://user@host/database."
                )
            )
        if len(set(urls)) != len(urls):
            raise SettingsInvalid(
                _(
                    "records_url, keys_url and ledger_url must be three databases: their backups live differently."
                )
            )
    if bool(settings.s3_endpoint) != bool(settings.s3_bucket):
        raise SettingsInvalid(_("s3_endpoint and s3_bucket belong together: set both or neither."))
