"""The website's sign-up: what its form says in each language, how what was typed is read, and how often it may be used.

Pure. The form asks for each purpose by a box of its own, never ticked beforehand, and says before anything is agreed to how to take
it back (GDPR art. 4(11), 7(2)-(3); privacy.md S2, S4). Whether a confirming message goes out is the gate's to say.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import phonenumbers

from bot.domain.business import Business, Template, Website, purpose_hash
from bot.domain.consent import PENDING, Consent
from bot.domain.conversation import Conversation
from bot.domain.ids import PhoneNumber
from bot.domain.message import TemplateMessage
from bot.domain.opt_in import PAYLOAD, YES, OptInRequest, payload
from bot.privacy.msgid import N_, fill, placeholders
from bot.privacy.notice import Notice, text_hash
from bot.privacy.numbers import BadNumber, canonical
from bot.privacy.policy import Limit

Translate = Callable[[str], str]

PER_CLIENT = Limit(10, timedelta(minutes=10))
"""Sign-ups of one client address: enough for an office behind one address, few for a machine (privacy.md 6.2, T3)."""

EVERYBODY = Limit(60, timedelta(minutes=1))
"""Sign-ups of all together: what many addresses in concert can make us send."""

KEPT = timedelta(days=30)
"""How long the bare fact of a request is kept, so that no number gets more than three messages in that time."""

TYPED_MOST = 64
"""Characters of a number that are read, and shown again."""

_TITLE = N_("Messages from {business} on WhatsApp")
_INTRODUCTION = N_(
    "Tick what you would like to get, and give us your number. We then send you one message on WhatsApp, which asks you to confirm. "
    "Only if you tap “{yes}” there do you get more."
)
_BOXES = N_("What would you like to get?")
_BOX = N_("Yes, {business} may send me messages on WhatsApp: {title}.")
_BOX_OFTEN = N_("Yes, {business} may send me messages on WhatsApp: {title}, {frequency}.")
_FREE = N_("This is your free choice. You can take it back at any time: write {stop} in the chat.")
_NUMBER = N_("Your WhatsApp number")
_HINT = N_("With + and country code, for example {example}. Without them we read it as a number with {code}.")
_HINT_ONLY = N_("With + and country code, for example {example}.")
_NOTICE = N_("How we use your data: our privacy notice")
_SUBMIT = N_("Send me the message")
_THANKS = N_("Thank you. Please look at WhatsApp.")
_THANKS_MORE = N_(
    "We have sent a message to the number you gave, if it can get one from us. Tap “{yes}” there within {hours} hours. Until then, and "
    "if you do nothing, you get nothing else."
)
_THANKS_WRONG = N_("Did no message come? Check the number and try again, or write to us on WhatsApp.")
_BACK = N_("Back to the form")
_PROBLEMS = N_("Please look at this once more:")
_NO_NUMBER = N_("Please give your number.")
_BAD_NUMBER = N_("We cannot read this number. Please write it with + and the country code, for example {example}.")
_NO_BOX = N_("Please tick at least one box. Without it we may not write to you.")
_CHANGED = N_("The text of this form has changed. Please read it again, tick what you want and send it once more.")
_TOO_OFTEN = N_("There were too many sign-ups just now. Please try again in a few minutes.")
_NOT_NOW = N_("We could not take your wish just now. Nothing was kept. Please try again in a minute.")
_LANGUAGES = N_("Language")


@dataclass(frozen=True, slots=True)
class Box:
    """One purpose with the words beside its box, its hash, and how long its second yes may take."""

    purpose: str
    label: str
    hash: str
    within: timedelta


@dataclass(frozen=True, slots=True)
class Form:
    """Every word of the form in one language. `version` is the content hash of them all, and stands in the evidence."""

    language: str
    title: str
    introduction: str
    legend: str
    boxes: tuple[Box, ...]
    free: str
    number: str
    hint: str
    notice: str
    notice_link: str
    notice_hash: str
    submit: str
    thanks: tuple[str, ...]
    back: str
    problems: str
    languages: str
    texts: Mapping[str, str] = field(repr=False)
    region: str = ""
    version: str = ""

    def wording(self, box: Box) -> str:
        """The exact words a person saw who ticked this box, for the evidence (EDPB 05/2020; privacy.md 3.2 no. 18)."""
        lines = (
            self.title, self.introduction, self.legend, f"[ ] {box.label}", self.free, f"{self.number} ({self.hint})",
            f"{self.notice} <{self.notice_link}>", f"[{self.submit}]",
        )  # fmt: skip
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Problem:
    """What must be mended in one field (`number`, `purpose`) or, with an empty one, in the form as a whole."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody sent. With problems nothing may be kept of it."""

    typed: str = field(default="", repr=False)
    ticked: tuple[str, ...] = ()
    number: PhoneNumber | None = None
    problems: tuple[Problem, ...] = ()

    def problem(self, of: str) -> str:
        """What is wrong with a field, or empty."""
        return next((one.words for one in self.problems if one.field == of), "")


NOTHING_FILLED = Filled()


# -- the words ------------------------------------------------------------------------------------------------------------


def form(business: Business, notice: Notice, translate: Translate, *, stop_word: str, link: str) -> Form:
    """The form in the notice's language.

    Args:
        business: it has a `website`.
        notice: the notice in force in that language.
        translate: gives a text in that language, or as it is.
        stop_word: the word that stops messages in that language.
        link: where this very version of the notice can be read.
    """
    declared = _website(business)
    region = (declared.country or business.country).upper()
    example, code = _example(region)
    template = business.templates[declared.template]
    yes = _label(template, notice.language, YES)

    def say(text: str, **values: str) -> str:
        said = translate(text)
        return fill(said if placeholders(said) == set(values) else text, **values) if values else said

    boxes = tuple(_box(business, name, say) for name in declared.purposes)
    hours = str(int(min(box.within for box in boxes).total_seconds() // 3600))
    made = Form(
        language=notice.language, title=say(_TITLE, business=business.name), introduction=say(_INTRODUCTION, yes=yes),
        legend=say(_BOXES), boxes=boxes, free=say(_FREE, stop=stop_word), number=say(_NUMBER),
        hint=say(_HINT, example=example, code=code) if code else say(_HINT_ONLY, example=example),
        notice=say(_NOTICE), notice_link=link, notice_hash=notice.hash, submit=say(_SUBMIT),
        thanks=(say(_THANKS), say(_THANKS_MORE, yes=yes, hours=hours), say(_THANKS_WRONG)), back=say(_BACK),
        problems=say(_PROBLEMS), languages=say(_LANGUAGES), region=region,
        texts={
            "no_number": say(_NO_NUMBER), "bad_number": say(_BAD_NUMBER, example=example), "no_box": say(_NO_BOX),
            "changed": say(_CHANGED), "too_often": say(_TOO_OFTEN), "not_now": say(_NOT_NOW),
        },
    )  # fmt: skip
    return replace(made, version=text_hash("\n".join(made.wording(box) for box in made.boxes)))


def _website(business: Business) -> Website:
    if business.website is None:
        raise ValueError("business.yaml declares no `website`")
    return business.website


def _box(business: Business, name: str, say: Callable[..., str]) -> Box:
    purpose = business.purposes[name]
    words = {"business": business.name, "title": say(purpose.title)}
    label = say(_BOX_OFTEN, frequency=say(purpose.frequency), **words) if purpose.frequency else say(_BOX, **words)
    return Box(name, label, purpose_hash(purpose), purpose.confirm_within)


def _example(region: str) -> tuple[str, str]:
    """A mobile number of the country as people write it, and the country's code; without a country some of the United States."""
    known = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE) if region else None
    if known is None:
        return "+1 202 555 0123", ""
    shown = phonenumbers.format_number(known, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return shown, f"+{known.country_code}"


# -- what was typed -------------------------------------------------------------------------------------------------------


def read(form: Form, fields: Mapping[str, Sequence[str]]) -> Filled:
    """What a sent form says. Never raises for what stands in it; each problem names the field it is about."""
    typed = next(iter(fields.get("number", ())), "").strip()
    sent = fields.get("purpose", ())
    ticked = tuple(box.purpose for box in form.boxes if box.purpose in sent)
    if next(iter(fields.get("version", ())), "") != form.version:
        # Whoever read other words has agreed to other words (GDPR art. 7(1)).
        return Filled(typed[:TYPED_MOST], (), None, (Problem("", form.texts["changed"]),))
    problems = [] if ticked else [Problem("purpose", form.texts["no_box"])]
    number = None
    if not typed:
        problems.append(Problem("number", form.texts["no_number"]))
    else:
        try:
            number = canonical(typed, region=form.region or None)
        except BadNumber:
            problems.append(Problem("number", form.texts["bad_number"]))
    return Filled(typed[:TYPED_MOST], ticked, number, tuple(problems))


_TOKEN = re.compile(r"[0-9a-f]{32}")


def read_token(fields: Mapping[str, Sequence[str]]) -> str:
    """The one-time token the form was given out with, or empty when it is none of ours."""
    token = next(iter(fields.get("token", ())), "")
    return token if _TOKEN.fullmatch(token) else ""


def client_group(address: str) -> str:
    """What counts as one client: an IPv4 address, or the 64-bit network an IPv6 subscriber gets; empty for what is neither."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


# -- the confirming message -----------------------------------------------------------------------------------------------


def confirmation(business: Business, request: OptInRequest, translate: Translate) -> tuple[TemplateMessage, str]:
    """The template that asks for the second yes, and its exact words as the phone shows them."""
    declared = _website(business)
    template = business.templates[declared.template]
    language = _language(template, request.language)
    body = template.languages[language]
    title = translate(business.purposes[request.purpose].title)
    parameters = (title,) if re.search(r"\{\{\s*1\s*\}\}", body) else ()
    buttons = tuple(payload(one.removeprefix(PAYLOAD), request.id) for one in template.payloads)
    shown = [re.sub(r"\{\{\s*1\s*\}\}", lambda _: title, body), template.footer.get(language, "")]
    shown += [f"[{label}]" for label in template.buttons.get(language, ())]
    words = "\n".join(one for one in shown if one)
    return TemplateMessage(declared.template, language, parameters, buttons=buttons), words


def _language(template: Template, wanted: str) -> str:
    base = wanted.split("-", maxsplit=1)[0]
    return next((one for one in (wanted, base) if one in template.languages), next(iter(template.languages)))


def _label(template: Template, language: str, kind: str) -> str:
    """The words on the button of that kind."""
    labels = template.buttons.get(_language(template, language), ())
    return labels[template.payloads.index(PAYLOAD + kind)]


def as_the_gate_sees(conversation: Conversation, request: OptInRequest) -> Conversation:
    """The person's conversation with this request open.

    A form opens no 24-hour window, whoever wrote when: so the gate lets it bring back nobody who stopped (GDPR art. 21(3)).
    """
    asked = Consent(PENDING, request.asked_at, request.id, request.expires, purpose_hash=request.purpose_hash)
    return replace(conversation, window_until=None).with_consent(request.purpose, asked)


def window_of(now: datetime, limit: Limit) -> tuple[int, datetime]:
    """The number of the stretch of time that `now` lies in, and when it ends, for counting against a limit."""
    length = limit.period.total_seconds()
    number = int(now.timestamp() // length)
    return number, now + timedelta(seconds=(number + 1) * length - now.timestamp())
