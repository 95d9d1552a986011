"""Key files that are rotated under the feet of running shelves, and keyrings on them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.privacy import key_files
from bot.privacy.keyring import Keyring, create_key_files
from bot.privacy.settings import KeySettings


class Keys:
    """One folder of key files; `later` moves the clock by which versions come into use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = datetime.now(UTC)
        create_key_files(folder)

    @property
    def settings(self) -> KeySettings:
        return KeySettings(
            kek_file=self.folder / "kek", index_key_file=self.folder / "index",
            suppression_key_file=self.folder / "suppression", ledger_key_file=self.folder / "ledger",
        )  # fmt: skip

    def ring(self) -> Keyring:
        return Keyring.load(self.settings, now=lambda: self.time)

    def rotate(self, *kinds: str) -> dict[str, str]:
        """Kind to the new version, which is in use from now on."""
        self.time += timedelta(hours=1)
        return {
            kind: key_files.add_version(self.folder / kind, kind, self.time).kid for kind in kinds or key_files.KINDS
        }
