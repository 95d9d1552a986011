"""docker-compose.yml keeps its promises: as far as they can be read without a Docker engine."""

import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.privacy.inventory import COLLECTIONS
from bot.privacy.key_files import KINDS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LONG_RUNNING = ["bot", "mongo"]

every_service = pytest.mark.parametrize("service", [pytest.param(SERVICES[name], id=name) for name in sorted(SERVICES)])


def test_nothing_is_published_but_the_web_port() -> None:
    """One port of one service, on this machine alone: a reverse proxy with TLS stands before it."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"bot": ["127.0.0.1:8080:8080"]}
    assert SERVICES["bot"]["environment"]["RECADO_WEB__PORT"] == "8080"


@every_service
def test_a_service_can_do_little_more_than_its_work(service: dict[str, Any]) -> None:
    """Read-only, no capability by default, no way to gain a privilege, nothing of the host's."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & service.keys()
    assert service.get("network_mode") in {None, "none"}
    assert "docker.sock" not in json.dumps(service)


def test_only_the_database_gets_capabilities_back() -> None:
    """And only those that the image's own start needs to become the user mongodb."""
    assert {name for name, service in SERVICES.items() if "cap_add" in service} == {"mongo"}
    assert set(SERVICES["mongo"]["cap_add"]) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}


def test_all_but_the_database_run_as_the_owner_of_the_secrets() -> None:
    """Whoever starts it without having made them is told what to run."""
    users = {name: service.get("user") for name, service in SERVICES.items()}

    assert users.pop("mongo") is None
    assert set(users.values()) == {"${SECRETS_OWNER:?run scripts/init-secrets first}"}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_on_is_watched(name: str) -> None:
    check = SERVICES[name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


def test_the_bot_is_healthy_when_its_admin_port_says_ready() -> None:
    port = SERVICES["bot"]["environment"]["RECADO_ADMIN__PORT"]

    assert f"http://127.0.0.1:{port}/readyz" in SERVICES["bot"]["healthcheck"]["test"][-1]


def test_the_bot_waits_for_its_users_and_they_for_the_database() -> None:
    assert SERVICES["bot"]["depends_on"] == {"mongo-init": {"condition": "service_completed_successfully"}}
    assert SERVICES["mongo-init"]["depends_on"] == {"mongo": {"condition": "service_healthy"}}


@every_service
def test_an_image_has_an_exact_version(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+(-[a-z]+)?", service["image"])


def test_the_dockerfile_builds_on_exact_versions_as_a_nobody() -> None:
    lines = (ROOT / "docker" / "Dockerfile").read_text().splitlines()

    assert [line for line in lines if line.startswith("FROM")]
    assert all(
        re.match(r"FROM python:\d+\.\d+\.\d+-slim-\w+( AS \w+)?$", line) for line in lines if line.startswith("FROM")
    )
    assert "USER 10001:10001" in lines
    assert all("--frozen" in line and "--no-dev" in line for line in lines if " sync " in line)
    assert any("--require-hashes" in line for line in lines)


def test_every_path_the_image_copies_is_in_the_checkout_and_let_through() -> None:
    """A file that the builder is not given would only fail on the machine of whoever builds."""
    copied = [
        source
        for line in (ROOT / "docker" / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    ignore = (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines()

    assert ignore[1] == "*"
    assert [source for source in copied if not (ROOT / source).exists() or f"!{source}" not in ignore] == []


def test_secrets_are_files_and_each_is_used() -> None:
    """None stands in the environment, and none is asked for that nobody makes."""
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}

    assert {name: {"file": f"secrets/{name}"} for name in used} == COMPOSE["secrets"]
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET|TOKEN|PASSWORD|URI|KEY|KEK", name):
                assert name.endswith("_FILE"), name
                assert value.removeprefix("/run/secrets/") in service["secrets"], name


def test_the_database_is_reached_by_nobody_outside() -> None:
    assert COMPOSE["networks"]["database"] == {"internal": True}
    assert SERVICES["mongo"]["networks"] == SERVICES["mongo-init"]["networks"] == ["database"]


@every_service
def test_mounts_of_the_host_are_read_only(service: dict[str, Any]) -> None:
    """But for the folder of keys, which the service `keys` fills once, without a network."""
    writable = [mount for mount in service.get("volumes", []) if mount.startswith("./") and not mount.endswith(":ro")]

    assert writable == [] or (service["network_mode"] == "none" and writable == ["./secrets:/keys"])


# --- the passwords -----------------------------------------------------------------------------


def init_secrets(root: Path) -> str:
    script = ROOT / "scripts" / "init-secrets"
    return subprocess.run(
        [sys.executable, "-I", script, "--root", root], capture_output=True, text=True, check=True
    ).stdout


def test_init_secrets_makes_every_file_that_compose_reads(tmp_path: Path) -> None:
    """The four key files alone come from `recado keys init`, which the service `keys` runs."""
    init_secrets(tmp_path)
    made = {path.name for path in (tmp_path / "secrets").iterdir()}

    assert made == set(COMPOSE["secrets"]) - set(KINDS)
    assert set(KINDS) <= set(COMPOSE["secrets"])
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "secrets").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_init_secrets_again_changes_nothing(tmp_path: Path) -> None:
    """A password that the database knows already is never replaced, and what the operator put in stays."""
    init_secrets(tmp_path)
    (tmp_path / "secrets" / "whatsapp_app_secret").write_text("from Meta")
    (tmp_path / ".env").write_text("RECADO_WHATSAPP__PHONE_NUMBER_ID=1\n" + (tmp_path / ".env").read_text())
    before = {path: path.read_text() for path in [tmp_path / ".env", *(tmp_path / "secrets").iterdir()]}

    assert "9 were there already" in init_secrets(tmp_path)
    assert {path: path.read_text() for path in before} == before


def test_init_secrets_prints_no_secret_and_says_what_is_missing(tmp_path: Path) -> None:
    said = init_secrets(tmp_path)
    values = [path.read_text() for path in (tmp_path / "secrets").iterdir() if path.read_text()]

    assert len(set(values)) == len(values) == 7
    assert not [value for value in values if value in said]
    assert "secrets/whatsapp_app_secret" in said
    assert "secrets/whatsapp_access_token" in said


def test_the_bot_never_runs_as_root(tmp_path: Path) -> None:
    """Made by root, the files are handed to the image's own user."""
    init_secrets(tmp_path)
    owner = (tmp_path / ".env").read_text().strip().partition("SECRETS_OWNER=")[2]
    status = (tmp_path / "secrets" / "kek").with_name("storage_uri").stat()

    assert owner == f"{status.st_uid}:{status.st_gid}"
    assert not owner.startswith("0:")


def test_the_addresses_hold_the_passwords_of_their_own_users(tmp_path: Path) -> None:
    init_secrets(tmp_path)
    folder = tmp_path / "secrets"

    assert f":{(folder / 'mongo_password').read_text()}@mongo:27017/recado?" in (folder / "storage_uri").read_text()
    assert (
        f":{(folder / 'mongo_vault_password').read_text()}@mongo:27017/recado_vault?"
        in (folder / "vault_uri").read_text()
    )


# --- the users of the database -----------------------------------------------------------------

# Stands in for mongosh: records what the script asks of a server whose replica set is not yet begun and has no users.
FAKE_MONGOSH = """
const made = { roles: {}, users: {}, initiated: [] };
const database = (name) => ({
  getRole: () => null, getUser: () => null,
  createRole: (role) => { made.roles[role.role] = role.privileges; },
  createUser: (user) => { made.users[`${name}.${user.user}`] = user; },
  runCommand: (command) => {
    if (command.replSetGetStatus) throw Object.assign(new Error("none"), { codeName: "NotYetInitialized" });
    if (command.replSetInitiate) made.initiated.push(command.replSetInitiate);
    return { ok: 1, isWritablePrimary: made.initiated.length > 0 };
  },
});
const code = require("fs").readFileSync(process.argv[2], "utf8");
const files = { readFileSync: (path) => `${path.split("/").pop()}-value\\n` };
new Function("require", "Mongo", "sleep", "print", code)(
  () => files, function () { this.getDB = database; }, () => {}, () => {});
console.log(JSON.stringify(made));
"""


@pytest.fixture(scope="module")
def granted() -> dict[str, Any]:
    """What docker/mongo/init.js asks the server for."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here to run docker/mongo/init.js in")
    environment = {"RECADO_DATABASE": "recado", "RECADO_VAULT_DATABASE": "recado_vault"}
    finished = subprocess.run(
        [node, "-e", FAKE_MONGOSH, "--", "-", ROOT / "docker" / "mongo" / "init.js"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


def rights(granted: dict[str, Any], role: str) -> dict[tuple[str, str], set[str]]:
    return {
        (privilege["resource"]["db"], privilege["resource"]["collection"]): set(privilege["actions"])
        for privilege in granted["roles"][role]
    }


def test_the_set_of_one_is_begun_under_the_name_the_addresses_use(granted: dict[str, Any]) -> None:
    assert granted["initiated"] == [{"_id": "rs0", "members": [{"_id": 0, "host": "mongo:27017"}]}]
    assert "--replSet rs0" in (ROOT / "docker" / "mongo" / "start.sh").read_text()


def test_each_user_has_one_role_and_a_password_of_its_own(granted: dict[str, Any]) -> None:
    users = granted["users"]

    assert users["recado.recado"]["roles"] == [{"role": "recadoBot", "db": "recado"}]
    assert users["recado.recado"]["pwd"] == "mongo_password-value"
    assert users["recado_vault.recado"]["roles"] == [{"role": "recadoVault", "db": "recado_vault"}]
    assert users["recado_vault.recado"]["pwd"] == "mongo_vault_password-value"
    assert len(users) == 2


@pytest.mark.parametrize("collection", ["ledger", "ledger_leaves", "ledger_heads"])
def test_the_ledger_can_only_grow(granted: dict[str, Any], collection: str) -> None:
    """The bot cannot change or remove a proof of consent, even if it is taken over (GDPR art. 7(1))."""
    actions = rights(granted, "recadoBot")["recado", collection]

    assert {"find", "insert"} <= actions
    assert not actions & {"update", "remove"}


def test_no_right_reaches_every_collection_at_once(granted: dict[str, Any]) -> None:
    """Rights add up, so a broad one would open the ledger again."""
    for role in ("recadoBot", "recadoVault"):
        for (_, collection), actions in rights(granted, role).items():
            assert collection or actions <= {"listCollections", "dbStats"}


def test_nobody_may_drop(granted: dict[str, Any]) -> None:
    for role in ("recadoBot", "recadoVault"):
        assert not {
            action for actions in rights(granted, role).values() for action in actions if action.startswith("drop")
        }


def test_each_role_stays_in_its_own_database(granted: dict[str, Any]) -> None:
    assert {db for db, _ in rights(granted, "recadoBot")} == {"recado"}
    assert {db for db, _ in rights(granted, "recadoVault")} == {"recado_vault"}


def test_every_collection_of_the_inventory_can_be_written(granted: dict[str, Any]) -> None:
    """A collection that the bot may use by its own register must not fail on the first production write."""
    for collection in COLLECTIONS.values():
        role, db = ("recadoVault", "recado_vault") if collection.vault else ("recadoBot", "recado")
        assert {"find", "insert"} <= rights(granted, role).get((db, collection.name), set()), collection.name
