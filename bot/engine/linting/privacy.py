"""Privacy: all errors. What is kept and how long, who gets it, what is shown, how consent is asked (GDPR art. 5, 6, 7, 9)."""

import re
from datetime import timedelta

from bot.domain.business import Business, duration
from bot.engine import flow as schema
from bot.engine.linter import walk
from bot.engine.linting.look import Look
from bot.engine.problem import nearest
from bot.engine.reading import Path

SHOWN_IN_FULL = frozenset({"phone", "email"})
FREE_TEXT = frozenset({"long_text"})

_SECRET = re.compile(
    r"\b(card number|credit card|cvv|cvc|security code|password|passcode|pin code|iban|passport|id card|identity card|"
    r"número do cartão|palavra-passe|senha|passaporte|tarjeta de crédito|número de tarjeta|contraseña|pasaporte|"
    r"kartennummer|kreditkarte|passwort|kennwort|reisepass|personalausweis|numéro de carte|mot de passe|passeport|"
    r"numero di carta|parola d'ordine|passaporto|wachtwoord|paspoort|hasło|paszport)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"\b(not|never|don't|no|without|não|nunca|sem|sin|nicht|kein|keine|keinen|niemals|ne|pas|jamais|non|mai|niet|geen|nie)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(your (child|son|daughter|partner|husband|wife|mother|father|friend|guest|colleague|neighbour|neighbor)|"
    r"the other person|someone else|somebody else)\b",
    re.IGNORECASE,
)  # fmt: skip


def check(look: Look) -> None:
    for name, declared in look.flow.data.items():
        _keep(look, name, declared)
        if declared.type == "yes_no" and declared.default in (True, "yes", "true"):
            reason = f"`{name}` says yes before anybody was asked (GDPR art. 4(11): an unambiguous act)."
            look.error("preselected", ("data", name, "default"), reason, "Leave the default out.")
    for purpose in look.flow.needs_consent:
        _asked_for(look, purpose, ("needs_consent", look.flow.needs_consent.index(purpose)))
    for _, path, text in look.texts():
        _echo(look, text, path)
    for step, path in look.steps:
        _step(look, step, path)


def _step(look: Look, step: schema.StepBase, path: Path) -> None:
    if isinstance(step, schema.Ask):
        _question(look, step, path)
    elif isinstance(step, schema.ConsentStep):
        _consent(look, step, path)
    elif isinstance(step, schema.Call):
        _sent_fields(look, step, path)
    elif isinstance(step, schema.SendStep):
        _template(look, step, path)
    elif isinstance(step, schema.Say) and step.link_button:
        declared = look.flow.data.get(step.link_button.to)
        if declared is not None and declared.sensitive:
            reason = f"`{step.link_button.to}` is sensitive and may not stand in a web address."
            look.error("sensitive-link", (*path, "link_button", "to"), reason, "Use a link of business.yaml.")


def _keep(look: Look, name: str, declared: schema.DataField) -> None:
    """GDPR art. 5(1)(e): no longer than the purpose needs."""
    where = ("data", name, "keep")
    purpose = look.business.purposes.get(look.purpose_of(name)) if look.business is not None else None
    if declared.keep == "until_end":
        return
    if declared.keep == "until_withdrawn":
        if purpose is not None and purpose.basis != "consent":
            reason = f"`{look.purpose_of(name)}` does not rest on consent, so `{name}` would be kept for ever."
            look.error("keep-for-ever", where, reason, "Write a length such as `30 days`.")
        return
    try:
        length = duration(declared.keep)
    except ValueError:
        reason = f"`{declared.keep}` is no length of time."
        look.error("keep-unclear", where, reason, nearest(declared.keep, ("until_end", "until_withdrawn", "30 days")))
        return
    most = purpose.keep_at_most if purpose is not None else None
    if isinstance(length, timedelta) and most is not None and length > most:
        reason = f"`{name}` would be kept {length.days} days; `{look.purpose_of(name)}` allows {most.days}."
        look.error("keep-long", where, reason, "Shorten it, or change `keep_at_most` in business.yaml.")


def _question(look: Look, step: schema.Ask, path: Path) -> None:
    where = (*path, "ask")
    for sentence in re.split(r"[.!?\n]", step.ask):
        if _SECRET.search(sentence) and not _DENIAL.search(sentence):
            found = _SECRET.search(sentence)
            reason = f"`{found[0] if found else ''}` must not be asked for in a chat."
            look.error("asks-secret", where, reason, "Let people enter it on a page of yours.")
    declared = look.flow.data.get(step.into)
    if declared is None:
        return
    if declared.about == "me" and _OTHERS.search(step.ask):
        reason = f"This asks about somebody else, but `{step.into}` is declared as about the person (GDPR art. 14)."
        look.error("third-person", where, reason, f"Add `about: someone_else` to `{step.into}`.")
    if declared.sensitive and declared.type in FREE_TEXT and not _DENIAL.search(step.ask):
        reason = f"People may write anything into `{step.into}`, which is sensitive, and are not warned."
        look.error("free-text", where, reason, 'Say what not to write: "Please do not send …".')


def _echo(look: Look, text: str, path: Path) -> None:
    for name in sorted(look.blanks(text)):
        if look.type_of(name) in SHOWN_IN_FULL:
            reason = f"`{name}` would be shown in full on a screen others may see."
            look.error("echo-contact", path, reason, "Leave it out of the text.")


def _consent(look: Look, step: schema.ConsentStep, path: Path) -> None:
    """GDPR art. 7(2), (3): one purpose, and how to withdraw, in the question itself."""
    business = look.business
    if not _way_out(look, step.ask):
        reason = "The question does not say how to stop (GDPR art. 7(3): before consent is given)."
        look.error("no-way-out", (*path, "ask"), reason, "Add: You can stop at any time by writing {words.stop}.")
    others = {name: one for name, one in business.purposes.items() if name != step.consent} if business else {}
    for name, purpose in others.items():
        if purpose.title.casefold() in step.ask.casefold():
            reason = f"The question also speaks of `{name}`: one question, one purpose (GDPR art. 7(2), recital 43)."
            look.error("consent-bundle", (*path, "ask"), reason, "Ask for each purpose in a step of its own.")


def _way_out(look: Look, text: str) -> bool:
    if "words.stop" in look.blanks(text):
        return True
    words = re.findall(r"\w+", text)
    return "STOP" in words or any(word.isupper() and look.project.meaning(word) == "stop" for word in words)


def _asked_for(look: Look, purpose: str, path: Path) -> None:
    business: Business | None = look.business
    if business is not None and purpose not in business.purposes:
        look.error(
            "unknown-purpose", path, f"There is no purpose called `{purpose}`.", nearest(purpose, business.purposes)
        )
    elif not _is_asked(look, purpose):
        reason = f"No flow asks for the consent `{purpose}`: nobody could ever pass."
        look.error("consent-unasked", path, reason, f"Add a flow with `consent: {purpose}`.")


def _is_asked(look: Look, purpose: str) -> bool:
    flows = (*look.project.flows.values(), look.flow)
    return any(
        isinstance(step, schema.ConsentStep) and step.consent == purpose for flow in flows for step, _ in walk(flow)
    )


def _sent_fields(look: Look, step: schema.Call, path: Path) -> None:
    """GDPR art. 5(1)(b): a field leaves only for the purpose it was asked for."""
    connector, _, name = step.call.partition(".")
    business = look.business
    declared = (
        business.connectors[connector].actions.get(name) if business and connector in business.connectors else None
    )
    if declared is None:
        return
    for wanted, field in step.with_.items():
        own = look.purpose_of(field)
        if field in look.flow.data and declared.purpose and own and own != declared.purpose:
            reason = f"`{field}` is kept for `{own}`, but `{step.call}` uses it for `{declared.purpose}`."
            look.error(
                "other-purpose", (*path, "with", wanted), reason, "Ask for it for that purpose, or do not send it."
            )
    if declared.method in ("POST", "PUT", "PATCH", "DELETE") and not step.once_per and (step.retries or 0) > 0:
        reason = f"`{step.call}` may be sent twice when it is tried again."
        look.error("no-once-per", path, reason, "Add `once_per: <field>`, or `retries: 0`.")


def _template(look: Look, step: schema.SendStep, path: Path) -> None:
    """GDPR art. 6(1)(a), ePrivacy art. 13: advertising only where a consent can have been given."""
    business = look.business
    declared = business.templates.get(step.send) if business is not None else None
    if business is None or declared is None:
        return
    if step.purpose and step.purpose != declared.purpose:
        reason = f"The template `{step.send}` serves `{declared.purpose}`, not `{step.purpose}`."
        look.error("send-purpose", (*path, "purpose"), reason, f"Write `purpose: {declared.purpose}`, or leave it out.")
    purpose = business.purposes.get(declared.purpose)
    if purpose is not None and purpose.basis == "consent" and not _is_asked(look, declared.purpose):
        reason = f"`{step.send}` needs the consent `{declared.purpose}`, which no flow asks for."
        look.error("send-unasked", (*path, "send"), reason, f"Add a flow with `consent: {declared.purpose}`.")
    for place, name in enumerate(step.with_):
        if name in look.flow.data and look.flow.data[name].sensitive:
            reason = f"`{name}` is sensitive and may not stand in a template."
            look.error("sensitive-sent", (*path, "with", place), reason, "Take it out of `with`.")
