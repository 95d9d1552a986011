"""What people were told and agreed to, when the words change: which earlier versions still stand for the present one (privacy.md 3.3).

Pure. A version is as good as the present one while nothing material lies between them, as the business declared; then nobody is told
or asked again. Else the notice is shown anew (GDPR art. 13(3)) and the consent no longer carries a message (GDPR art. 4(11), 7; EDPB
05/2020: when the processing changes, the consent does not cover it) until the person agreed to the new words.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.business import Business, Purpose, purpose_hash
from bot.privacy.notice import Notice

_AGREED_TO = ("title", "basis", "interest", "sends", "frequency", "data")
_OF_A_NOTICE = ("short", "introduction", "points", "title", "link")


@dataclass(frozen=True, slots=True)
class Version:
    """A published text about nobody.

    Attributes:
        name: of the purpose, or the id of the notice.
        hash: names the content.
        content: JSON as it was published.
    """

    name: str
    language: str
    hash: str
    content: str


def covered(business: Business, published: Sequence[Version]) -> Business:
    """The business whose purposes accept consents to earlier versions that still mean the same; `published` oldest first."""
    purposes = {}
    for name, purpose in business.purposes.items():
        mine = [(one.hash, _facts(one.content)) for one in published if one.name == name]
        now = (purpose_hash(purpose), json.loads(purpose.model_dump_json()))
        purposes[name] = purpose.with_covered(_as_good(now, mine, _terms))
    return business.model_copy(update={"purposes": purposes})


def informing(current: Iterable[Notice], published: Sequence[Version]) -> frozenset[str]:
    """The hashes of all notices after which a person need not be told anything new; `published` oldest first."""
    good: set[str] = set()
    for notice in current:
        mine = [
            (one.hash, _facts(one.content))
            for one in published
            if (one.name, one.language) == (notice.id, notice.language)
        ]
        good |= _as_good((notice.hash, json.loads(notice.content())), mine, _told)
    return frozenset(good)


def _as_good(
    now: tuple[str, Mapping[str, Any]], older: Sequence[tuple[str, Mapping[str, Any]]], essence: Any
) -> frozenset[str]:
    """Back from now, as far as each step was the same in essence or declared to be immaterial."""
    good = {now[0]}
    later = now[1]
    for named, facts in reversed([one for one in older if one[0] != now[0]]):
        if essence(facts) != essence(later) and later.get("material_change", True):
            break
        good.add(named)
        later = facts
    return frozenset(good | {named for named, facts in older if essence(facts) == essence(now[1])})


def _terms(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a purpose people agree to; fields that a version did not have yet are as if left out."""
    defaults = Purpose.model_fields
    return {name: facts.get(name, defaults[name].get_default()) or None for name in _AGREED_TO}


def _told(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: facts.get(name) for name in _OF_A_NOTICE}


def _facts(content: str) -> Mapping[str, Any]:
    found = json.loads(content)
    return found if isinstance(found, dict) else {}
