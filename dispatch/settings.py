"""What an installation chooses, from environment variables named ALLONS_... (docs/settings.md is made from here)."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start. An empty variable is one that is not there: docker-compose.yml passes those on that nobody has set."""

    model_config = SettingsConfigDict(env_prefix="ALLONS_", extra="ignore", env_ignore_empty=True)

    database_url: str = Field("sqlite:///var/allons.sqlite3", description="SQLite file, or postgresql+psycopg://… with PostGIS.")
    vault_key: SecretStr | None = Field(None, description="The key that seals names and phones, made by `allons vault new-key`; or")
    vault_key_file: Path | None = Field(
        None, description="a file that holds it. A SQLite database has one beside it, made the first time; PostgreSQL needs one of the two."
    )
    retention_months: int = Field(24, ge=1, le=120, description="People are erased so long after their last ride or their entry.")
    roads: Path | None = Field(None, description="Road network made by `allons roads build`, or an extract.")
    places: Path | None = Field(None, description="Index of places, made with the roads; by default the `.places` file beside them.")
    base_map: Path | None = Field(None, description="Base map, made with the roads; by default the `.mbtiles` file beside them.")
    map_style: str | None = Field(
        None, description="A MapLibre style of one's own instead, such as https://maps.example.org/style.json (docs/map.md)."
    )
    ban_url: str | None = Field(
        None, description="Asked for addresses that the index does not know, such as https://data.geopf.fr/geocodage (docs/places.md);"
    )
    nominatim_url: str | None = Field(None, description="and after it a Nominatim, such as https://nominatim.example.org.")
    redis_url: str | None = Field(
        None, description="Redis for the bells and the cache of road times between several processes; without it they are in process."
    )
    matrix_threads: int = Field(
        1, ge=1, le=64, description="Threads that one matrix of road times may use; one is enough below 500 points."
    )
    round_seconds: float = Field(5.0, ge=0.2, le=3600, description="Wall clock a round may solve.")
    round_iterations: int | None = Field(
        None, ge=1, le=10**9, description="A round tries so often instead: the same result from the same day, for simulations."
    )
    debounce_seconds: float = Field(2.0, ge=0, le=600, description="A round waits this long after a wake, for more requests to come in.")
    sweep_seconds: float = Field(
        10.0, ge=0.1, le=3600, description="Expired offers, waiting legs and rounds of lost workers are looked for this often."
    )
    rounds_at_once: int = Field(1, ge=1, le=64, description="Rounds that this process solves at the same time.")
    workers: bool = Field(False, description="Rounds are run by `allons worker` processes, which need Redis, instead of in this process.")
    offer_minutes: int = Field(240, ge=1, le=20_160, description="A volunteer has this long to answer an offer.")
    longest_wait_seconds: float = Field(30.0, ge=0, le=30, description="A call that waits for a round is answered after this long at most.")
    calls_per_minute: int = Field(1200, ge=10, le=1_000_000, description="Calls of one key or account; beyond, they are answered 429.")
    live_clients: int = Field(50, ge=1, le=400, description="So many may watch a territory at once, in each process; beyond, 429.")
    live_seconds: float = Field(
        3600.0, ge=0.1, le=86_400, description="A stream of changes ends after this long; browsers open the next one by themselves."
    )
    import_kib: int = Field(1024, ge=64, le=16_384, description="The largest CSV file that is taken, in KiB;")
    import_lines: int = Field(1000, ge=1, le=20_000, description="and the most lines in it. All of a file is one transaction.")
    proof_kib: int = Field(4096, ge=64, le=16_384, description="The largest picture of a volunteer's paper that is taken, in KiB.")
    trusted_proxies: str | None = Field(
        None, description="Addresses of the proxies before the API, with commas: theirs is the word on who calls (X-Forwarded-For)."
    )
    public_url: str | None = Field(None, description="How browsers reach this service, such as https://allons.example.org.")
    oidc_issuer: str | None = Field(None, description="An identity provider (OpenID Connect) that staff may log in with; and")
    oidc_client_id: str | None = Field(None, description="as what this service is known there,")
    oidc_client_secret: SecretStr | None = Field(None, description="and its secret, if it has one.")
    smtp_url: SecretStr | None = Field(
        None,
        description="A mail server: smtps://USER:PASSWORD@HOST:465, smtp://… (STARTTLS), or smtp+plain://HOST for one beside this service.",
    )
    mail_from: str = Field("no-reply@localhost", description="The address that mails come from.")
    sms_url: SecretStr | None = Field(None, description="A provider of SMS as apprise names it, with {to} where the number goes.")
    webhooks_to_loopback: bool = Field(
        False, description="Webhooks may also go to http://127.0.0.1: for trying them out, never in service."
    )
    sender: bool = Field(True, description="Send notices and webhooks from this process; otherwise `allons sender` does.")
    sender_seconds: float = Field(2.0, ge=0.05, le=600, description="It looks for new ones this often.")
    health_port: int | None = Field(
        None, ge=1, le=65535, description="Where /livez, /readyz and /metrics answer besides, for whoever watches this process."
    )
    health_host: str = Field("127.0.0.1", description="The address of that; in a container 0.0.0.0, on a network of its own.")
    planner: bool = Field(True, description="Run rounds in this process.")

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        """The value is never repeated: it holds a password."""
        if url is not None and not is_server(url.get_secret_value(), ("smtp", "smtps", "smtp+plain")):
            raise ValueError("must be like smtps://USER:PASSWORD@HOST:465; in the password %2F for /, %23 for # and %3F for ?")
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_an_email(cls, address: str) -> str:
        if not re.fullmatch(r"[^@\s<>,;:\"]+@[A-Za-z0-9.-]+", address):
            raise ValueError("must be an address such as trajets@example.org")
        return address

    @field_validator("sms_url")
    @classmethod
    def _has_a_number(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and "{to}" not in url.get_secret_value():
            raise ValueError("must hold {to} where the number goes")
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        """A password with / # or ? would otherwise be read as the end of the host, and come back in an error much later."""
        if url is not None and not is_server(url, ("redis", "rediss")):
            raise ValueError("must be like redis://:PASSWORD@HOST:6379/0, and in the password %2F for /, %23 for # and %3F for ?")
        return url

    @field_validator("ban_url", "nominatim_url", "map_style")
    @classmethod
    def _is_on_the_web(cls, url: str | None) -> str | None:
        if url is not None and (not is_server(url, ("https", "http")) or "?" in url or "#" in url or "@" in url):
            raise ValueError("must be like https://places.example.org/path, without a question or a password in it")
        return url


def is_server(url: str, schemes: tuple[str, ...]) -> bool:
    """Whether an address names a server of one of these kinds."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # what stands where the port should be is no number
        return False
