"""What production must not run with: settings and declarations that would put real people's data at risk (GDPR art. 28, 32, 44).

Pure looks at settings and business.yaml; `serve` refuses to start on them, `doctor` tells them beforehand.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bot.domain.business import Business
from bot.domain.errors import SettingsProblem
from bot.settings import Settings

EEA = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV",
    "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
"""Where the GDPR itself holds; anywhere else data need a basis to go to (art. 44-49)."""

DEMO_FOLDER = ".recado"
"""Where the demo keeps its keys, beside its data."""

_LOCAL = re.compile(r"(localhost|127\.[\d.]+|\[::1\])(:\d+)?")
_UNCHECKED = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")


def refuse_unsafe(settings: Settings, business: Business) -> None:
    """Raises `SettingsProblem` with every fault at once when this is production; a demo may be as it is."""
    if settings.environment != "production":
        return
    faults = [*faults_of_settings(settings), *faults_of_business(business)]
    if faults:
        raise SettingsProblem(
            "Unsafe for production, so nothing was started (RECADO_ENVIRONMENT=demo is for machines without real people's data):\n  "
            + "\n  ".join(faults)
        )


def faults_of_settings(settings: Settings) -> Iterator[str]:
    """What is wrong with the settings, each as a sentence that names the setting and says what to write."""
    storage = settings.storage
    yield from _of_database("RECADO_STORAGE__URI", storage.uri)
    if storage.vault_uri and storage.vault_uri != storage.uri:
        yield from _of_database("RECADO_STORAGE__VAULT_URI", storage.vault_uri)
    if settings.web.public_url and not settings.web.public_url.startswith("https://"):
        yield "RECADO_WEB__PUBLIC_URL is not https; Meta delivers to https only, and people open notices there."
    graph = urlsplit(settings.whatsapp.graph_url)
    if graph.scheme != "https" and not _LOCAL.fullmatch(graph.netloc):
        yield "RECADO_WHATSAPP__GRAPH_URL is not https: messages and the access token would travel in clear."
    for kind in ("kek", "index", "suppression", "ledger"):
        path = settings.privacy.key_file(kind)
        if path is not None and DEMO_FOLDER in path.resolve().parts:
            yield f"The {kind} key is the demo's ({path}), which lies beside its data; `recado keys init DIR` makes keys of your own."
        elif path is not None and _inside(path, settings.project):
            yield f"The {kind} key file {path} lies in the project's folder, where it is copied and published with it; move it out."


def _of_database(name: str, uri: str) -> Iterator[str]:
    if not uri:
        return
    options = {key.lower(): values[-1].lower() for key, values in parse_qs(urlsplit(uri).query).items()}
    lowered = [key for key in _UNCHECKED if options.get(key) == "true"]
    if lowered:
        yield f"{name} turns the check of the database's certificate off ({', '.join(lowered)}); name its authority in tlsCAFile."
    if _is_local(uri):
        return
    encrypted = uri.startswith("mongodb+srv://") or "true" in (options.get("tls"), options.get("ssl"))
    if not encrypted or "false" in (options.get("tls"), options.get("ssl")):
        yield f"{name} reaches the database over the network without TLS; append tls=true (GDPR art. 32)."
    if "@" not in urlsplit(uri).netloc and "authmechanism" not in options:
        yield f"{name} names no user: a database that anybody on the network may read; create users (docker/mongo/init.js shows how)."


def _is_local(uri: str) -> bool:
    hosts = urlsplit(uri).netloc.rpartition("@")[2].split(",")
    return not uri.startswith("mongodb+srv://") and all(_LOCAL.fullmatch(one) for one in hosts)


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to((folder / "flows").resolve()) or path.resolve().is_relative_to(
        (folder / "locales").resolve()
    )


def faults_of_business(business: Business) -> Iterator[str]:
    """What is missing in the declarations: contracts, places and owners of what receives data."""
    names = {one.name for one in business.processors}
    if not names:
        yield "business.yaml names no processor; whoever carries the messages (Meta) is one (GDPR art. 28)."
    for one in business.processors:
        if not one.contract:
            yield f"business.yaml, processor {one.name}: no contract is declared (GDPR art. 28(3)); put its date under `contract`."
        if one.country.strip().upper() not in EEA and not one.transfer:
            yield (
                f"business.yaml, processor {one.name}: it is in {one.country}, and no basis for the transfer is declared "
                "(GDPR art. 44-49); put it under `transfer`."
            )
    for name, connector in business.connectors.items():
        if connector.processor and connector.processor not in names:
            yield f"business.yaml, connector {name}: its processor {connector.processor} is not among the processors."
    for name, receiver in business.receivers.items():
        if receiver.processor and receiver.processor not in names:
            yield f"business.yaml, receiver {name}: its processor {receiver.processor} is not among the processors."
