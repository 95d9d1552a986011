"""What an operator sets for WhatsApp: `RECADO_WHATSAPP__*`."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class WhatsAppSettings(BaseModel):
    """Credentials and addresses; frozen, and its text form hides the secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    app_secret: SecretStr = Field(
        default=SecretStr(""), description="App secret; several, comma separated, while rotating."
    )
    verify_token: SecretStr = Field(
        default=SecretStr(""), description="The string given to Meta with the callback address."
    )
    access_token: SecretStr = Field(default=SecretStr(""), description="Token of a system user.")
    phone_number_id: str = Field(default="", description="The business number's id; several, comma separated.")
    business_account_id: str = Field(
        default="",
        description="The WhatsApp business account's id, for templates; webhooks of others are ignored; several, comma separated.",
    )
    graph_url: str = Field(
        default="https://graph.facebook.com", description="Where sends go.", pattern=r"^https?://[^\s/]+/?$"
    )
    graph_version: str = Field(default="v26.0", description="Version of the Graph API.", pattern=r"^v\d{1,3}\.\d$")
    media_most: int = Field(
        default=16,
        gt=0,
        le=100,
        description="MiB a file may have that a flow asked for; larger ones are not taken over.",
    )
    timeout: float = Field(default=15.0, gt=0, le=120, description="Seconds one send may take.")

    @field_validator("graph_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The live app secrets, newest first as given."""
        return tuple(one.strip() for one in self.app_secret.get_secret_value().split(",") if one.strip())

    @property
    def accounts(self) -> tuple[str, ...]:
        """The ids of the business numbers; the first one sends."""
        return tuple(one.strip() for one in self.phone_number_id.split(",") if one.strip())

    @property
    def businesses(self) -> tuple[str, ...]:
        """The ids of the business accounts; templates are kept under the first."""
        return tuple(one.strip() for one in self.business_account_id.split(",") if one.strip())

    def problems(self) -> list[str]:
        """What `serve` needs and does not have, in plain words."""
        needed = {
            "APP_SECRET": (self.secrets, "the app secret of your Meta app; without it no webhook can be trusted"),
            "VERIFY_TOKEN": (
                self.verify_token.get_secret_value(),
                "the string you gave Meta with the callback address",
            ),
            "ACCESS_TOKEN": (self.access_token.get_secret_value(), "the token of a system user that may send"),
            "PHONE_NUMBER_ID": (self.accounts, "the id of your business number"),
        }
        return [f"RECADO_WHATSAPP__{name} is not set: {what}." for name, (value, what) in needed.items() if not value]
