"""All settings in one place: collected from the rooms, read once from environment, `.env` and files, and never again later.

Names are `RECADO_<ROOM>__<FIELD>`. `RECADO_<ROOM>__<FIELD>_FILE` names a file that holds the value (docker secrets). A name
nobody knows is an error, because a misspelt protection is no protection.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.console.settings import ConsoleSettings
from bot.domain.errors import SettingsProblem
from bot.privacy.settings import KeySettings
from bot.storage.settings import StorageSettings
from bot.whatsapp.settings import WhatsAppSettings

PREFIX = "RECADO_"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?")


class WebSettings(BaseModel):
    """The public listener: webhooks, opt-in, notices, console."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535)
    share_port: bool = Field(
        default=False, description="Whether several processes of this host listen on the port together."
    )
    public_url: str = Field(default="", description="How the outside reaches this listener (https).")
    origins: str = Field(
        default="", description="Sites that may show the sign-up form in their pages, comma separated."
    )
    proxies: int = Field(
        default=0, ge=0, le=9, description="Proxies of your own before this listener that add to X-Forwarded-For."
    )

    @property
    def sites(self) -> tuple[str, ...]:
        """The single origins, as browsers name them."""
        return tuple(one.strip() for one in self.origins.split(",") if one.strip())

    @model_validator(mode="after")
    def _origins_only(self) -> Self:
        if not all(_ORIGIN.fullmatch(one) for one in self.sites):
            raise ValueError(
                "ORIGINS: write each site as https://shop.example, without a path and in small letters, comma separated"
            )
        return self


class AdminSettings(BaseModel):
    """The listener for operators: health and metrics; never public."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=9090, ge=0, le=65535)


class IntegrationSettings(BaseModel):
    """Secrets for calls to the business's own systems, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secrets: Mapping[str, SecretStr] = Field(
        default_factory=dict, description="JSON of name to secret, or a file with it."
    )

    @field_validator("secrets", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        """The environment holds texts only; a text is read as JSON and never shown in an error."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise ValueError('write the secrets as JSON, for example {"crm": "..."}') from None


class Settings(BaseSettings):
    """Everything an operator sets."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    project: Path = Field(default=Path(), description="Folder with flows/ and locales/.")
    environment: Literal["demo", "production"] = "production"
    storage: StorageSettings = StorageSettings()
    whatsapp: WhatsAppSettings = WhatsAppSettings()
    privacy: KeySettings = KeySettings()
    web: WebSettings = WebSettings()
    admin: AdminSettings = AdminSettings()
    console: ConsoleSettings = ConsoleSettings()
    integrations: IntegrationSettings = IntegrationSettings()
    flows_read_every: float = Field(
        default=5.0, gt=0, le=3600, description="Seconds between two looks for changed flows."
    )
    drain_seconds: float = Field(default=20.0, ge=0, description="How long a stop waits for work under way.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `read_settings` hands in counts; it has read the environment already."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


_ONLY: ContextVar[Mapping[str, str] | None] = ContextVar("only settings", default=None)


@contextmanager
def only(values: Mapping[str, str]) -> Iterator[None]:
    """`read_settings` takes these and nothing else, neither environment nor `.env`: no part of another installation slips in."""
    token = _ONLY.set(values)
    try:
        yield
    finally:
        _ONLY.reset(token)


def read_settings(environment: Mapping[str, str] | None = None, *, folder: Path = Path()) -> Settings:
    """The settings of this process. Raises `SettingsProblem` that names each wrong one and never shows a value."""
    alone = _ONLY.get() if environment is None else None
    if alone is not None:
        merged = dict(alone)
    else:
        values = environment if environment is not None else os.environ
        merged = {**{k: v for k, v in dotenv_values(folder / ".env").items() if v is not None}, **values}
    nested: dict[str, Any] = {}
    for name, value in sorted(merged.items()):
        if name.startswith(PREFIX):
            _place(nested, name, value)
    try:
        return Settings(**nested)
    except ValidationError as failure:
        lines = [
            f"{_name(detail['loc'])}: {detail['msg'].removeprefix('Value error, ')}"
            for detail in failure.errors(include_input=False)
        ]
        raise SettingsProblem("These settings are wrong:\n  " + "\n  ".join(lines)) from None


def _name(location: tuple[int | str, ...]) -> str:
    return PREFIX + "__".join(str(part).upper() for part in location)


def _place(nested: dict[str, Any], name: str, value: str) -> None:
    """Puts one variable where its room's model expects it."""
    room, _, field = name.removeprefix(PREFIX).lower().partition("__")
    fields = Settings.model_fields
    if not field:
        if room not in fields:
            raise SettingsProblem(_unknown(name))
        nested[room] = value
        return
    model = fields[room].annotation if room in fields else None
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        raise SettingsProblem(_unknown(name))
    known = model.model_fields
    if field not in known and field.endswith("_file") and field.removesuffix("_file") in known:
        nested.setdefault(room, {})[field.removesuffix("_file")] = _content(name, value)
    elif field in known:
        nested.setdefault(room, {})[field] = value
    else:
        raise SettingsProblem(_unknown(name))


def _unknown(name: str) -> str:
    return f"{name} is not a setting. See docs/settings.md; a misspelt name is refused rather than ignored."


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise SettingsProblem(f"{name}: the file cannot be read ({type(problem).__name__}).") from None
