"""Every setting, read from the environment here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from vault.stores import WrongStore, check_address

ROOT: Final = Path(__file__).parent.parent
RETRY_SECONDS = "0,5,300,1800,7200,18000,36000,36000"


class WrongSetting(ValueError):
    """A setting that cannot be; its message is one line that names it and says what would be right."""


@dataclass(frozen=True)
class Setting:
    """One setting as it stands: its value as text, where it came from, and whether it must not be shown."""

    name: str
    value: str
    origin: Literal["default", "environment"]
    secret: bool = False

    @property
    def shown(self) -> str:
        """The value, or stars where it holds a secret."""
        if not self.secret or not self.value:
            return self.value
        parts = urlsplit(self.value)
        return (
            self.value.replace(parts.password, "***") if parts.password else "***" if not parts.scheme else self.value
        )


# name, default, whether it holds a secret, what it is
TABLE: Final = (
    ("FSHNISTA_HOME", ".fshnista", False, "data folder"),
    ("FSHNISTA_DATABASE_URL", "", True, "PostgreSQL; empty: the embedded one"),
    ("FSHNISTA_VALKEY_URL", "", True, "Valkey for limits shared by several hosts"),
    ("FSHNISTA_STORAGE_URL", "", True, "objects: file:///… or s3://bucket/prefix; empty: a folder in the data folder"),
    ("FSHNISTA_STORAGE_EU_URL", "", True, "the same for the EU; empty: a folder in the data folder"),
    ("FSHNISTA_PUBLIC_URL", "", False, "where this API stands on the web; empty: the address it listens on"),
    ("FSHNISTA_SHOP_URL", "https://fshnista.com", False, "where storefronts are shown to shoppers"),
    ("FSHNISTA_ENVIRONMENT", "sandbox", False, "sandbox or production"),
    ("FSHNISTA_SECRET", "", True, "keys hashes and links; empty: made once and kept in the data folder"),
    ("FSHNISTA_EXECUTION_PLANS", "on", False, "on, or off: the ordinary GraphQL executor alone"),
    ("FSHNISTA_WEBHOOK_ALLOW_LOOPBACK", "0", False, "1: webhooks may go to this machine (sandbox only)"),
    ("FSHNISTA_WEBHOOK_RETRY_SECONDS", RETRY_SECONDS, False, "waits before each attempt, in seconds"),
)


@dataclass(frozen=True)
class Settings:
    """The settings, checked."""

    home: Path
    database_url: str
    valkey_url: str
    storage_url: str
    storage_eu_url: str
    public_url: str
    shop_url: str
    environment: Literal["sandbox", "production"]
    secret: str
    execution_plans: bool
    webhook_allow_loopback: bool
    webhook_retry_seconds: tuple[int, ...]
    table: tuple[Setting, ...]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings of this environment, or WrongSetting for the first that cannot be."""
    table = tuple(
        Setting(name, environ.get(name, default), "environment" if name in environ else "default", secret)
        for name, default, secret, _ in TABLE
    )
    given = {setting.name.removeprefix("FSHNISTA_").lower(): setting.value for setting in table}
    environment = _one_of(given, "environment", "sandbox", "production")
    loopback = _one_of(given, "webhook_allow_loopback", "0", "1") == "1"
    if loopback and environment == "production":
        raise WrongSetting("FSHNISTA_WEBHOOK_ALLOW_LOOPBACK=1 is for the sandbox; production never sends there")
    home = Path(given["home"]).expanduser()
    return Settings(
        home=home if home.is_absolute() else ROOT / home,
        database_url=_address(given, "database_url", "postgresql", "postgres"),
        valkey_url=_address(given, "valkey_url", "valkey", "redis", "valkeys", "rediss", "unix"),
        storage_url=_store(given, "storage_url"),
        storage_eu_url=_store(given, "storage_eu_url"),
        public_url=_address(given, "public_url", "http", "https").rstrip("/"),
        shop_url=_address(given, "shop_url", "http", "https").rstrip("/"),
        environment="production" if environment == "production" else "sandbox",
        secret=given["secret"],
        execution_plans=_one_of(given, "execution_plans", "on", "off") == "on",
        webhook_allow_loopback=loopback,
        webhook_retry_seconds=_seconds(given["webhook_retry_seconds"]),
        table=table,
    )


def _one_of(given: Mapping[str, str], name: str, *words: str) -> str:
    if given[name] not in words:
        raise WrongSetting(f"FSHNISTA_{name.upper()} is {given[name]!r}; it must be {' or '.join(words)}")
    return given[name]


def _address(given: Mapping[str, str], name: str, *schemes: str) -> str:
    value = given[name]
    if value and (urlsplit(value).scheme not in schemes or "://" not in value):
        raise WrongSetting(f"FSHNISTA_{name.upper()} must start with {' or '.join(f'{s}://' for s in schemes)}")
    return value


def _store(given: Mapping[str, str], name: str) -> str:
    value = given[name]
    try:
        if value:
            check_address(value)
    except WrongStore as wrong:
        raise WrongSetting(f"FSHNISTA_{name.upper()} is wrong: {wrong}") from None
    return value


def _seconds(text: str) -> tuple[int, ...]:
    try:
        waits = tuple(int(part) for part in text.split(","))
    except ValueError:
        waits = ()
    if not waits or any(wait < 0 for wait in waits):
        raise WrongSetting(f"FSHNISTA_WEBHOOK_RETRY_SECONDS is {text!r}; it must be whole seconds such as 0,5,300")
    return waits
