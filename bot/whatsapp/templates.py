"""Templates as business.yaml declares them and as Meta keeps them: how one is written to Meta, and how the two differ.

Pure; the calls stand in `template_api`. Source: Meta: message-templates/components.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.business import Business, Template
from bot.domain.template_text import are_named, meta_language, values_of
from bot.whatsapp import fields

Body = dict[str, Any]
Key = tuple[str, str]
"""A template's name and Meta's code of its language."""

EDITABLE = frozenset({"APPROVED", "REJECTED", "PAUSED"})
"""Meta lets a template be edited only in these states."""

_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Content:
    """What makes up a template in one language.

    Attributes:
        buttons: kind (`quick_reply`, `url`, …), label, and the address of one that opens a page.
        more: parts that business.yaml cannot declare, by Meta's names.
    """

    category: str
    body: str
    header: str = ""
    footer: str = ""
    buttons: tuple[tuple[str, str, str], ...] = ()
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A template as Meta lists it. `quality` is GREEN, YELLOW, RED or empty; `reason` says why it was rejected."""

    id: str
    status: str
    content: Content
    reason: str = ""
    quality: str = ""


def declared_in(business: Business) -> dict[Key, Content]:
    """Every declared template in each of its languages. A language Meta does not take is left out; the linter says so."""
    found: dict[Key, Content] = {}
    for name, template in business.templates.items():
        for language in template.languages:
            code = meta_language(language)
            if code:
                found[name, code] = _content(template, language)
    return found


def _content(template: Template, language: str) -> Content:
    buttons = [("quick_reply", label, "") for label in template.buttons.get(language, ())]
    if template.link is not None and language in template.link.label:
        buttons.append(("url", template.link.label[language], template.link.address))
    return Content(
        template.category,
        template.languages[language],
        template.header.get(language, ""),
        template.footer.get(language, ""),
        tuple(buttons),
    )


def creation(key: Key, content: Content, template: Template) -> Body:
    """The body that asks Meta for a new template.

    Meta may not change the category by itself when it makes one: a purpose hangs on it. Raises `ValueError` for a one-time code,
    whose text Meta fixes.
    """
    name, code = key
    named = are_named(values_of(content.body))
    body: Body = {
        "name": name, "language": code, "category": content.category.upper(), "allow_category_change": False,
        "parameter_format": "NAMED" if named else "POSITIONAL", "components": components(content, template.samples),
    }  # fmt: skip
    if template.lives is not None:
        body["message_send_ttl_seconds"] = int(template.lives.total_seconds())
    return body


def components(content: Content, samples: tuple[str, ...]) -> list[Body]:
    """The parts of a template as Meta takes them, with its samples."""
    if content.category == "authentication":
        raise ValueError("Meta fixes the text of one-time codes: make such a template in WhatsApp Manager")
    found: list[Body] = []
    if content.header:
        found.append({"type": "HEADER", "format": "TEXT", "text": content.header})
    names = values_of(content.body)
    body: Body = {"type": "BODY", "text": content.body}
    if names and len(names) != len(samples):
        raise ValueError("it has values without samples: write `samples` in business.yaml")
    if are_named(names):
        rows = [{"param_name": name, "example": sample} for name, sample in zip(names, samples, strict=True)]
        body["example"] = {"body_text_named_params": rows}
    elif names:
        body["example"] = {"body_text": [list(samples)]}
    found.append(body)
    if content.footer:
        found.append({"type": "FOOTER", "text": content.footer})
    if content.buttons:
        rows = [
            {"type": kind.upper(), "text": label, **({"url": url} if url else {})}
            for kind, label, url in content.buttons
        ]
        found.append({"type": "BUTTONS", "buttons": rows})
    return found


def listed_in(rows: Iterable[Any]) -> Iterator[tuple[Key, Listed]]:
    """Meta's listing; rows without a name or language are left out."""
    for row in fields.objects(list(rows)):
        key = fields.text(row.get("name"), 512), fields.text(row.get("language"), 16)
        if not all(key):
            continue
        quality = fields.text(fields.part(row.get("quality_score")).get("score"), 16)
        reason = fields.text(row.get("rejected_reason"), 64)
        yield (
            key,
            Listed(
                fields.text(row.get("id"), 64),
                fields.text(row.get("status"), 32).upper(),
                _listed(row),
                "" if reason == "NONE" else reason,
                "" if quality == "UNKNOWN" else quality,
            ),
        )


def _listed(row: Mapping[str, Any]) -> Content:
    texts: dict[str, str] = {}
    buttons: list[tuple[str, str, str]] = []
    more: list[str] = []
    for part in fields.objects(row.get("components")):
        kind = fields.text(part.get("type"), 40).upper()
        media = kind == "HEADER" and fields.text(part.get("format"), 16).upper() not in ("", "TEXT")
        if kind in ("HEADER", "BODY", "FOOTER") and not media:
            texts[kind] = fields.text(part.get("text"), _TEXT)
        elif kind == "BUTTONS":
            for one in fields.objects(part.get("buttons")):
                label, url = fields.text(one.get("text"), 64), fields.text(one.get("url"), _TEXT)
                buttons.append((fields.text(one.get("type"), 40).lower(), label, url))
        else:
            more.append(f"{kind} {fields.text(part.get('format'), 16).upper()}".strip())
    category = fields.text(row.get("category"), 32).lower()
    body, header, footer = (texts.get(kind, "") for kind in ("BODY", "HEADER", "FOOTER"))
    return Content(category, body, header, footer, tuple(buttons), tuple(more))


def differences(declared: Content, listed: Content) -> tuple[str, ...]:
    """In which parts the two differ: names of business.yaml's keys, the category first."""
    pairs = (
        ("category", declared.category, listed.category), ("header", declared.header, listed.header),
        ("languages", declared.body, listed.body), ("footer", declared.footer, listed.footer),
        ("buttons", declared.buttons, listed.buttons), ("other parts", declared.more, listed.more),
    )  # fmt: skip
    if declared.category == listed.category == "authentication":
        return ()  # Meta's own words; ours stand in the declaration for the reader only
    return tuple(name for name, ours, theirs in pairs if ours != theirs)


@dataclass(frozen=True, slots=True)
class Step:
    """What has to happen to one template so that Meta has it as declared.

    Attributes:
        action: `create`, `edit`, `keep` (the same already), `cannot` (`why` says why) or `undeclared` (at Meta only; left alone).
        parts: in what they differ.
    """

    key: Key
    action: str
    parts: tuple[str, ...] = ()
    why: str = ""


def plan(declared: Mapping[Key, Content], listed: Mapping[Key, Listed]) -> list[Step]:
    """One step for each template on either side, in the order of their names. Nothing is ever deleted at Meta."""
    return [_step(key, declared.get(key), listed.get(key)) for key in sorted({*declared, *listed})]


def _step(key: Key, ours: Content | None, theirs: Listed | None) -> Step:
    if ours is None:
        return Step(key, "undeclared")
    if theirs is None:
        made = ours.category != "authentication"
        return Step(key, "create") if made else Step(key, "cannot", why="make one-time codes in WhatsApp Manager")
    parts = differences(ours, theirs.content)
    if not parts:
        return Step(key, "keep")
    if "category" in parts and theirs.status != "REJECTED":
        # Meta changes no category on demand once a template was approved; a new name is the way, or our own declaration.
        why = f"Meta calls it {theirs.content.category}; declare it so, or make a template of another name"
        return Step(key, "cannot", parts, why)
    if theirs.status not in EDITABLE:
        return Step(key, "cannot", parts, f"Meta lets nobody edit it while it is {theirs.status.lower() or 'unknown'}")
    return Step(key, "edit", parts)
