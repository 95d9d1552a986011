"""How a body sent to the Graph API is read field by field. Every no is a GraphError that names the place.

Lengths are counted in UTF-16 units: Meta does not say which unit it means, so the stricter reading is taken.
"""

from collections.abc import Iterable, Mapping, Sequence

from bot.simulator.errors import GraphError

Body = Mapping[str, object]


def utf16(text: str) -> int:
    """Length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def only(body: Body, allowed: Iterable[str], where: str) -> None:
    """Refuses keys Meta's page does not name (100)."""
    unknown = sorted(set(body) - set(allowed))
    if unknown:
        raise GraphError(100, f"Unexpected key {unknown[0]!r} on param {where!r}")


def mapping(body: Body, key: str, where: str) -> Body:
    """A required JSON object (131008 when missing, 131009 when something else)."""
    found = body.get(key)
    if found is None:
        raise GraphError(131008, f"The parameter {where}.{key} is required")
    if not isinstance(found, Mapping):
        raise GraphError(131009, f"{where}.{key} must be an object")
    return found


def items(body: Body, key: str, where: str, *, least: int, most: int) -> Sequence[Body]:
    """A required list of objects with bounds on its length."""
    found = body.get(key)
    if found is None:
        raise GraphError(131008, f"The parameter {where}.{key} is required")
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise GraphError(131009, f"{where}.{key} must be a list of objects")
    if not least <= len(found) <= most:
        raise GraphError(131009, f"{where}.{key} must hold {least} to {most} entries, got {len(found)}")
    return found


def words(body: Body, key: str, where: str, *, most: int) -> str:
    """A required, not blank text of at most `most` UTF-16 units."""
    found = body.get(key)
    if found is None:
        raise GraphError(131008, f"The parameter {where}.{key} is required")
    if not isinstance(found, str):
        raise GraphError(131009, f"{where}.{key} must be a string")
    if not found.strip():
        raise GraphError(131009, f"{where}.{key} must not be blank")
    if utf16(found) > most:
        raise GraphError(131009, f"{where}.{key} must be at most {most} characters long, got {utf16(found)}")
    return found


def words_or_none(body: Body, key: str, where: str, *, most: int) -> str:
    """As `words`, but the key may be left out: then the empty text."""
    return words(body, key, where, most=most) if key in body else ""


def flag(body: Body, key: str, where: str) -> bool:
    """An optional truth value, false when left out."""
    found = body.get(key, False)
    if not isinstance(found, bool):
        raise GraphError(131009, f"{where}.{key} must be true or false")
    return found


def number(body: Body, key: str, where: str, *, low: float, high: float) -> float:
    """A required number between bounds; Meta takes digits in a string as well."""
    found = body.get(key)
    if found is None:
        raise GraphError(131008, f"The parameter {where}.{key} is required")
    try:
        value = float(found) if isinstance(found, (int, float, str)) and not isinstance(found, bool) else None
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise GraphError(131009, f"{where}.{key} must be a number from {low:g} to {high:g}")
    return value


def web_address(body: Body, key: str, where: str, *, most: int = 2000) -> str:
    """A required http or https URL."""
    found = words(body, key, where, most=most)
    if not found.startswith(("https://", "http://")) or any(sign in found for sign in ' \n\t<>"'):
        raise GraphError(131009, f"{where}.{key} must be an http or https URL")
    return found


def all_different(values: Iterable[str], where: str) -> None:
    """Refuses a value that stands twice (131009)."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise GraphError(131009, f"{where} must be unique, one stands twice")
        seen.add(value)
