"""Keys come from checked files, each for one use, and rotate without losing anybody."""

import base64
import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import SettingsProblem, Unreadable
from bot.domain.ids import Address, Bsuid, PersonId, PhoneNumber, Wamid
from bot.privacy import crypto, key_files
from bot.privacy.keyring import Keyring, create_key_files, event_key
from bot.privacy.settings import KeySettings

ANA, RUI = PersonId("a" * 32), PersonId("b" * 32)
PLACE = {"collection": "c", "row": "r", "field": "f"}
BRAZIL = Address(phone=PhoneNumber("+5521987654321"), bsuid=Bsuid("BR.123"), parent_bsuid=Bsuid("BR.ENT.9"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_key_files(tmp_path / "keys")
    return tmp_path / "keys"


def settings_for(folder: Path, **changes: Any) -> KeySettings:
    files = {
        "kek_file": "kek",
        "index_key_file": "index",
        "suppression_key_file": "suppression",
        "ledger_key_file": "ledger",
    }
    return KeySettings(**{**{name: folder / kind for name, kind in files.items()}, **changes})


LATER = datetime(2101, 1, 1, tzinfo=UTC)


def load(folder: Path) -> Keyring:
    """Long after the last rotation."""
    return Keyring.load(settings_for(folder), now=lambda: LATER)


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def rotate(path: Path) -> None:
    """Adds a newer version under a name of the test's own."""
    plain = json.loads(path.read_text())
    new = {"kid": "newer", "since": "2099-01-01T00:00:00+00:00", "key": base64.b64encode(crypto.new_key()).decode()}
    path.write_text(json.dumps({**plain, "versions": [*plain["versions"], new]}))


# -- making files -----------------------------------------------------------------------------------------------------------


def test_the_files_are_readable_by_their_owner_only(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["index", "kek", "ledger", "suppression"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_every_kind_has_a_key_of_its_own(folder: Path) -> None:
    assert len({json.loads(path.read_text())["versions"][0]["key"] for path in folder.iterdir()}) == 4


def test_a_standing_key_is_never_overwritten(folder: Path) -> None:
    (folder / "index").unlink()
    before = (folder / "kek").read_bytes()
    with pytest.raises(SettingsProblem, match="never overwritten"):
        create_key_files(folder)
    assert (folder / "kek").read_bytes() == before
    assert not (folder / "index").exists()


# -- reading files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
def test_a_file_open_to_others_is_refused(folder: Path, mode: int) -> None:
    (folder / "kek").chmod(mode)
    with pytest.raises(SettingsProblem, match="chmod 600"):
        load(folder)


def test_a_missing_file_is_refused_and_not_made(folder: Path) -> None:
    (folder / "ledger").unlink()
    with pytest.raises(SettingsProblem, match="does not exist"):
        load(folder)
    assert not (folder / "ledger").exists()


def test_a_missing_setting_is_named(folder: Path) -> None:
    with pytest.raises(SettingsProblem, match="RECADO_PRIVACY__KEK_FILE"):
        Keyring.load(settings_for(folder, kek_file=None))
    with pytest.raises(SettingsProblem, match="RECADO_PRIVACY__SUPPRESSION_KEY_FILE"):
        Keyring.load(settings_for(folder, suppression_key_file=None))


def test_a_folder_is_no_key_file(folder: Path) -> None:
    with pytest.raises(SettingsProblem):
        Keyring.load(settings_for(folder, kek_file=folder))


def test_exchanged_files_are_noticed(folder: Path) -> None:
    with pytest.raises(SettingsProblem, match="exchanged"):
        Keyring.load(settings_for(folder, index_key_file=folder / "suppression", suppression_key_file=folder / "index"))


def test_one_key_for_two_uses_is_refused(folder: Path) -> None:
    change(folder / "suppression", versions=json.loads((folder / "index").read_text())["versions"])
    with pytest.raises(SettingsProblem, match="same key"):
        load(folder)


GOOD = {"kid": "k", "since": "2026-01-01T00:00:00+00:00", "key": base64.b64encode(b"x" * 32).decode()}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"schema": "other/1"}, "no key file", id="another schema"),
        pytest.param({"versions": []}, "no key", id="no version"),
        pytest.param({"versions": "x"}, "no key", id="versions that are none"),
        pytest.param({"versions": [{**GOOD, "key": "!!!"}]}, "base64", id="a damaged key"),
        pytest.param({"versions": [{**GOOD, "key": None}]}, "base64", id="no key in a version"),
        pytest.param({"versions": [{**GOOD, "key": "c2hvcnQ="}]}, "32 bytes", id="a short key"),
        pytest.param({"versions": [{**GOOD, "kid": ""}]}, "`kid` is missing", id="no kid"),
        pytest.param({"versions": [{**GOOD, "since": "soon"}]}, "date and time", id="no date"),
        pytest.param({"versions": [{**GOOD, "since": "2026-01-01"}]}, "time zone", id="no time zone"),
        pytest.param({"versions": [GOOD, {**GOOD, "kid": "j"}]}, "twice", id="the same key twice"),
        pytest.param({"versions": [GOOD, {**GOOD, "key": base64.b64encode(b"y" * 32).decode()}]}, "twice", id="the same kid twice"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_without_showing_a_key(folder: Path, fields: dict[str, Any], says: str) -> None:
    change(folder / "index", **fields)
    with pytest.raises(SettingsProblem, match=says) as caught:
        load(folder)
    assert GOOD["key"] not in str(caught.value)
    assert str(folder / "index") in str(caught.value)


def test_a_file_that_is_not_json_is_refused(folder: Path) -> None:
    (folder / "index").write_text("not json")
    with pytest.raises(SettingsProblem, match="damaged"):
        load(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_account_is_refused(folder: Path) -> None:
    os.chown(folder / "kek", 12345, -1)
    with pytest.raises(SettingsProblem, match="another account"):
        load(folder)


def test_keys_do_not_show_themselves(folder: Path) -> None:
    raw = json.loads((folder / "kek").read_text())["versions"][0]["key"]
    file = key_files.read(folder / "kek", "kek")
    shown = repr(file) + repr(load(folder)) + repr(load(folder).new_data_key(ANA))
    assert raw not in shown
    assert base64.b64decode(raw).hex() not in shown
    assert repr(base64.b64decode(raw)) not in shown


# -- data keys --------------------------------------------------------------------------------------------------------------


def test_a_wrapped_key_opens_what_its_key_sealed(folder: Path) -> None:
    ring = load(folder)
    key, wrapped = ring.new_data_key(ANA)
    sealed = key.seal(b"words", **PLACE, person=ANA)
    assert ring.open_data_key(ANA, wrapped).unseal(sealed, **PLACE, person=ANA) == b"words"


def test_one_person_s_wrapped_key_is_useless_for_another(folder: Path) -> None:
    ring = load(folder)
    _, wrapped = ring.new_data_key(ANA)
    with pytest.raises(Unreadable):
        ring.open_data_key(RUI, wrapped)


def test_after_a_rotation_old_keys_open_and_new_ones_use_the_new_version(folder: Path) -> None:
    _, old = load(folder).new_data_key(ANA)
    rotate(folder / "kek")
    ring = load(folder)
    ring.open_data_key(ANA, old)
    _, new = ring.new_data_key(ANA)
    assert old.kid != new.kid == "newer"


def test_a_lost_version_is_said_and_no_other_is_tried(folder: Path, tmp_path: Path) -> None:
    _, wrapped = load(folder).new_data_key(ANA)
    create_key_files(tmp_path / "other")
    with pytest.raises(Unreadable, match="not among the keys"):
        load(tmp_path / "other").open_data_key(ANA, wrapped)


# -- identities -------------------------------------------------------------------------------------------------------------


def test_every_identity_and_every_spelling_has_an_id(folder: Path) -> None:
    ids = load(folder).identity_ids(BRAZIL)
    assert [one.kind for one in ids] == ["bsuid", "parent_bsuid", "phone", "variant"]
    assert len({one.id for one in ids}) == 4
    assert all(len(one.id) == 64 for one in ids)


def test_either_spelling_of_a_number_finds_the_other(folder: Path) -> None:
    ring = load(folder)
    long, short = (ring.identity_ids(Address(phone=PhoneNumber(one))) for one in ("+5521987654321", "+552187654321"))
    assert {one.id for one in long} == {one.id for one in short}


def test_a_bsuid_is_not_mistaken_for_a_parent_of_the_same_text(folder: Path) -> None:
    ring = load(folder)
    own, parent = (
        ring.identity_ids(Address(bsuid=Bsuid("US.1"))),
        ring.identity_ids(Address(parent_bsuid=Bsuid("US.1"))),
    )
    assert own[0].id != parent[0].id


def test_the_suppression_list_cannot_be_joined_with_the_index(folder: Path) -> None:
    ring = load(folder)
    assert not {one.id for one in ring.identity_ids(BRAZIL)} & {one.id for one in ring.suppression_ids(BRAZIL)}


@pytest.mark.parametrize("kind", ["index", "suppression"])
def test_after_a_rotation_old_ids_are_still_looked_up_behind_the_new(folder: Path, kind: str) -> None:
    def ids(ring: Keyring) -> tuple[Any, ...]:
        return ring.identity_ids(BRAZIL) if kind == "index" else ring.suppression_ids(BRAZIL)

    before = ids(load(folder))
    rotate(folder / kind)
    ring = load(folder)
    after = ids(ring)
    assert after[len(before) :] == before
    assert {one.kid for one in after[: len(before)]} == {"newer"}
    assert (ring.current_index_kid if kind == "index" else ring.current_suppression_kid) == "newer"


def test_a_version_whose_time_has_not_come_is_read_and_not_written(folder: Path) -> None:
    """So that every process knows a new version before the first one writes under it."""
    now = datetime.now(UTC)
    new = key_files.add_version(folder / "index", "index", now + timedelta(minutes=2))
    ring = Keyring.load(settings_for(folder), now=lambda: now + timedelta(minutes=1))
    assert ring.current_index_kid != new.kid
    assert {one.kid for one in ring.identity_ids(BRAZIL)} == {new.kid, ring.current_index_kid}
    assert {one.kid for one in ring.identity_ids(BRAZIL)[:4]} == {ring.current_index_kid}
    assert Keyring.load(settings_for(folder), now=lambda: now + timedelta(minutes=3)).current_index_kid == new.kid


def _exchange_key(path: Path) -> None:
    versions = json.loads(path.read_text())["versions"]
    change(path, versions=[{**versions[0], "key": base64.b64encode(crypto.new_key()).decode()}])


def _exchange_version(path: Path) -> None:
    change(path, versions=[GOOD])


# -- rotation of a running process ------------------------------------------------------------------------------------------


def test_a_running_process_takes_a_rotated_file_in(folder: Path) -> None:
    ring = Keyring.load(settings_for(folder), now=lambda: LATER)
    _, old = ring.new_data_key(ANA)
    assert not ring.reread()
    new = key_files.add_version(folder / "kek", "kek", datetime.now(UTC) + timedelta(minutes=1))
    assert ring.reread()
    assert ring.new_data_key(ANA)[1].kid == new.kid
    ring.open_data_key(ANA, old)


def test_a_key_that_only_another_process_knows_is_looked_for_at_once(folder: Path) -> None:
    """Rows of a process that was quicker are never unreadable to a slower one on the same files."""
    slow = Keyring.load(settings_for(folder), now=lambda: LATER)
    key_files.add_version(folder / "kek", "kek", datetime.now(UTC) + timedelta(minutes=1))
    _, wrapped = load(folder).new_data_key(ANA)
    slow.open_data_key(ANA, wrapped)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(lambda path: path.unlink(), "does not exist", id="lost"),
        pytest.param(lambda path: path.chmod(0o644), "open to other accounts", id="opened to others"),
        pytest.param(lambda path: path.write_text("{"), "damaged", id="cut short"),
        pytest.param(_exchange_key, "another key under the name", id="another key under the old name"),
        pytest.param(_exchange_version, "has lost", id="another installation's"),
    ],
)
def test_a_file_that_cannot_be_trusted_leaves_a_running_process_as_it_was(folder: Path, spoil: Any, says: str) -> None:
    ring = load(folder)
    _, wrapped = ring.new_data_key(ANA)
    spoil(folder / "kek")
    with pytest.raises(SettingsProblem, match=says):
        ring.reread()
    ring.open_data_key(ANA, wrapped)


def test_a_key_is_wrapped_anew_and_opens_the_same(folder: Path) -> None:
    key, wrapped = load(folder).new_data_key(ANA)
    sealed = key.seal(b"words", **PLACE, person=ANA)
    key_files.add_version(folder / "kek", "kek", datetime.now(UTC) + timedelta(seconds=1))
    ring = load(folder)
    again = ring.rewrapped(ANA, wrapped)
    assert again is not None
    assert again.kid == ring.current_kid("kek") != wrapped.kid
    assert ring.open_data_key(ANA, again).unseal(sealed, **PLACE, person=ANA) == b"words"
    assert ring.rewrapped(ANA, again) is None
    with pytest.raises(Unreadable):
        ring.rewrapped(RUI, wrapped)


def test_check_values_tell_keys_apart_and_show_none(folder: Path, tmp_path: Path) -> None:
    ring = load(folder)
    raw = {json.loads(path.read_text())["versions"][0]["key"] for path in folder.iterdir()}
    create_key_files(tmp_path / "other")
    assert load(folder).checks() == ring.checks()
    values = {value for _, value in ring.checks().values()} | {
        value for _, value in load(tmp_path / "other").checks().values()
    }
    assert len(values) == 8
    assert not {base64.b64decode(one).hex()[:32] for one in raw} & values


# -- outside ids ------------------------------------------------------------------------------------------------------------


def test_event_ids_are_short_and_stay_equal_over_a_rotation(folder: Path) -> None:
    before = load(folder)
    rotate(folder / "index")
    after = load(folder)
    assert before.event_id("wamid.X") == after.event_id("wamid.X") != after.event_id("wamid.Y")
    assert before.wamid_hash(Wamid("wamid.X")) == after.wamid_hash(Wamid("wamid.X"))
    assert len(bytes.fromhex(after.event_id("wamid.X"))) == 12


def test_event_ids_stay_equal_when_the_oldest_version_is_dropped_by_the_rules(folder: Path) -> None:
    before = load(folder).event_id("wamid.X")
    rotate(folder / "index")
    kept = event_key(key_files.read(folder / "index", "index"))
    versions = json.loads((folder / "index").read_text())["versions"]
    change(folder / "index", versions=versions[1:], event_key=base64.b64encode(kept).decode())
    assert load(folder).event_id("wamid.X") == before


# -- signatures -------------------------------------------------------------------------------------------------------------


def test_what_was_signed_before_a_rotation_verifies_after_it(folder: Path) -> None:
    signed = load(folder).sign(b"receipt")
    rotate(folder / "ledger")
    ring = load(folder)
    assert crypto.verify(ring.verifying_keys()[signed.kid], b"receipt", signed.value)
    assert ring.sign(b"receipt").kid == "newer"
