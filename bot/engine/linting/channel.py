"""What WhatsApp can carry: lengths of texts with buttons, values of templates, links, the 24-hour window."""

import re
from datetime import timedelta

from bot.engine import flow as schema
from bot.engine.linter import BUTTON_BODY, units
from bot.engine.linting.look import Look
from bot.engine.problem import nearest
from bot.engine.reading import Path

WINDOW = timedelta(hours=24)
"""Meta: customer service window; after it only a template may be sent."""

LABEL = 20
_VALUE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SPEAKS = ("say", "ask", "menu", "consent", "confirm", "rate")


def check(look: Look) -> None:
    for step, path in look.steps:
        if getattr(step, "options", None) and isinstance(step, schema.Ask | schema.Menu):
            _body(look, step, path)
        if isinstance(step, schema.Say) and step.link_button:
            _link(look, step.link_button, path)
        if isinstance(step, schema.SendStep):
            _template(look, step, path)
        _window(look, step, path)


def _body(look: Look, step: schema.Ask | schema.Menu, path: Path) -> None:
    key = "ask" if isinstance(step, schema.Ask) else "menu"
    text = getattr(step, key) + getattr(step, "hint", "")
    if units(text) > BUTTON_BODY:
        reason = f"This question has {units(text)} characters; a text with buttons or a list holds {BUTTON_BODY}."
        look.error("body-long", (*path, key), reason, "Move a part into a `say` before it.")


def _link(look: Look, link: schema.LinkButton, path: Path) -> None:
    where = (*path, "link_button")
    if units(link.label) > LABEL:
        reason = f"This label has {units(link.label)} characters; a button holds {LABEL}."
        look.error("label-long", (*where, "label"), reason, "Shorten it.")
    name = link.to.removeprefix("links.")
    known = look.business.links if look.business is not None else {name: ""}
    if (link.to.startswith("links.") and name not in known) or (
        not link.to.startswith("links.") and link.to not in look.fields
    ):
        names = [*(f"links.{one}" for one in known), *look.fields]
        look.error("unknown-link", (*where, "to"), f"There is no link `{link.to}`.", nearest(link.to, names))


def _template(look: Look, step: schema.SendStep, path: Path) -> None:
    declared = look.business.templates.get(step.send) if look.business is not None else None
    if declared is None:
        return
    for language, body in declared.languages.items():
        wanted = len(set(_VALUE.findall(body)))
        if wanted != len(step.with_):
            reason = f"The template `{step.send}` wants {wanted} in `{language}`, but `with` gives {len(step.with_)}."
            look.error("template-values", (*path, "send"), reason, "Give `with:` one field for each value.")
            break
    missing = [one for one in look.business.languages if one not in declared.languages] if look.business else []
    if missing:
        reason = f"The template `{step.send}` is not there in {', '.join(missing)}."
        look.warn("template-language", (*path, "send"), reason, "Add it under `templates` in business.yaml.")


def _window(look: Look, step: schema.StepBase, path: Path) -> None:
    """Meta: free text only within 24 hours of the person's last message; a silence as long as that shuts the window."""
    for part in (step, getattr(step, "double", None)):
        wait = getattr(part, "wait", None)
        if not isinstance(wait, timedelta) or wait < WINDOW:
            continue
        for index, after in enumerate(getattr(step, "outcomes", {}).get("silent", ())):
            if schema.verb_of(after) in _SPEAKS:
                reason = "After 24 hours of silence WhatsApp takes no free text; this would never arrive."
                look.error(
                    "window-shut", (*path, "outcomes", "silent", index), reason, "Use a `send`, or a shorter `wait`."
                )
                return
