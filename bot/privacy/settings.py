"""What an operator sets for privacy: `RECADO_PRIVACY__*`. Reads no file and no environment; `bot.settings` collects it."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.business import Duration


class KeySettings(BaseModel):
    """Keys outside the database, and how long what must outlive an erasure is kept. Every default is the most private one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kek_file: Path | None = Field(default=None, description="Key-encryption keys: they wrap each person's data key.")
    index_key_file: Path | None = Field(default=None, description="Keys of the identity index and of event ids.")
    suppression_key_file: Path | None = Field(default=None, description="Keys of the suppression list.")
    ledger_key_file: Path | None = Field(default=None, description="Keys that sign receipts and ledger heads.")
    replay_file: Path | None = Field(
        default=None,
        description="Fsynced file of erasures to replay after a restore, where there is no vault database.",
    )
    evidence_on_erasure: Literal["delete"] = Field(
        default="delete",
        description="What becomes of the exact words of a consent when the person is erased (decisions.md 39).",
    )
    anchor_folder: Path | None = Field(
        default=None,
        description="Folder outside the operator's reach where signed heads of the consent ledger are dropped as files.",
    )
    anchor_every: Duration = Field(
        default=timedelta(minutes=1), description="How often a head is signed and dropped while events come in."
    )
    suppression_lasts: Duration = Field(
        default=timedelta(days=3 * 365),
        ge=timedelta(days=3 * 365),
        description="How long a STOP is remembered after its last hit; at least three years (CNIL).",
    )
    export_lasts: Duration = Field(
        default=timedelta(hours=72), description="How long the link to a person's data works."
    )
    keys_read_every: Duration = Field(
        default=timedelta(seconds=15), description="How often a running process looks for rotated keys."
    )

    def key_file(self, kind: str) -> Path | None:
        """The setting that names the file of one kind of keys."""
        files = {
            "kek": self.kek_file,
            "index": self.index_key_file,
            "suppression": self.suppression_key_file,
            "ledger": self.ledger_key_file,
        }
        return files[kind]
