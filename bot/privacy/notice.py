"""The privacy notice: what GDPR art. 13 asks for, taken from business.yaml, in two layers and in any language.

Texts are English msgids marked with `N_`, so that Babel finds them; the caller passes in the translation. The short layer is shown
in the chat at the first contact, the full one on a page that is rendered elsewhere. Nothing here knows HTML or a database.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace

from bot.domain.business import Business, Processor, Purpose, content_hash
from bot.domain.errors import SettingsProblem, Unreadable
from bot.privacy.msgid import N_, fill, placeholders

Translate = Callable[[str], str]

SHORT_LIMIT = 1000
"""Characters of the first layer: what one still reads on a phone, and below Meta's 1024 of a text with buttons."""

_BOT = N_("You are talking to {bot}, the automated assistant of {business}: a computer program, not a person.")
_RESPONSIBLE = N_("Responsible: {controller}, {contact}")
_DATA = N_("Your data: {data}")
_WHAT_FOR = N_("What for: {purposes}")
_OTHERS = N_("Who else gets them: {recipients}")
_NOBODY = N_("Who else gets them: nobody")
_PLACE = N_("Where they are kept: {storage}")
_READ = N_("Messages are encrypted on their way. WhatsApp (Meta) and we can read them.")
_STOP = N_("No more messages from us? Write {stop} at any time.")
_MORE = N_("Your rights and everything else: {link}")

_BASES = {
    "consent": N_("you agreed (GDPR art. 6(1)(a))"),
    "contract": N_("it is needed for what you asked us to do (GDPR art. 6(1)(b))"),
    "legal_obligation": N_("the law obliges us (GDPR art. 6(1)(c))"),
    "vital_interests": N_("it protects somebody's life (GDPR art. 6(1)(d))"),
    "public_task": N_("it is a task in the public interest (GDPR art. 6(1)(e))"),
    "legitimate_interest": N_("we have a legitimate interest in it (GDPR art. 6(1)(f))"),
    "soft_opt_in": N_("you bought something similar from us and did not object (ePrivacy Directive art. 13(2))"),
}

_RIGHTS = N_(
    "You may ask for a copy of your data, have them corrected or deleted, have their use restricted, receive them in a form that other "
    "programs can read, and object to their use. Write it here in your own words, or use the contacts above. It is free; we answer "
    "within one month."
)
_WITHDRAW = N_(
    "You may take back a consent at any time, as easily as you gave it: write {stop}. What was done before stays lawful."
)
_OBJECT = N_("You may object to advertising at any time and without a reason: write {stop}.")
_FURTHER = N_("We use your data for nothing else. Should that change, we tell you before.")
_COUNTRIES = N_("Those who work for us keep them in: {countries}.")
_NO_INTEREST = N_("None of the purposes above rests on a legitimate interest.")
_NO_DUTY = N_("You need not give us any data. Without them some services are not possible.")
_NO_AUTOMATION = N_("No decision about you is made by a program alone.")
_NO_OFFICER = N_("We have no data protection officer; please use the contact above.")
_NO_RECIPIENTS = N_("Nobody but us.")

HEADINGS: tuple[tuple[str, str, str], ...] = (
    ("controller", "13(1)(a)", N_("Who is responsible")),
    ("dpo", "13(1)(b)", N_("Data protection officer")),
    ("purposes", "13(1)(c)", N_("What we use your data for, and why we may")),
    ("interests", "13(1)(d)", N_("Our legitimate interests")),
    ("recipients", "13(1)(e)", N_("Who else gets your data")),
    ("transfers", "13(1)(f)", N_("Where your data are")),
    ("retention", "13(2)(a)", N_("How long we keep them")),
    ("rights", "13(2)(b)", N_("Your rights")),
    ("withdrawal", "13(2)(c)", N_("Taking back a consent, and objecting")),
    ("complaint", "13(2)(d)", N_("Complaints")),
    ("required", "13(2)(e)", N_("Whether you must give us data")),
    ("automated", "13(2)(f)", N_("Automated decisions")),
    ("further", "13(3)", N_("Other purposes")),
)
"""The 13 points: key, article of the GDPR, heading."""

_TITLE = N_("Privacy notice of {business}")
_CATEGORIES = N_("Which data we have: {data}.")


@dataclass(frozen=True, slots=True)
class Point:
    """One of the 13 points, in one language."""

    key: str
    article: str
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as one person sees it: both layers, immutable, named by the hash of its content.

    Attributes:
        language: BCP 47 tag of the texts.
        introduction: paragraphs above the points: that this is a bot, which data there are, what encryption does.
        material_change: people must be shown this version again.
        hash: `content_hash` of `content()`, 32 hex digits; evidence points at it.
    """

    id: str
    version: int
    language: str
    link: str
    title: str
    short: str
    introduction: tuple[str, ...]
    points: tuple[Point, ...]
    material_change: bool
    hash: str = ""

    def content(self) -> str:
        """All of it but the hash as JSON with sorted keys in NFC: what is stored, and what the hash is taken of."""
        plain = asdict(self)
        del plain["hash"]
        return unicodedata.normalize("NFC", json.dumps(plain, ensure_ascii=False, sort_keys=True, indent=1))


def from_content(content: str, named: str) -> Notice:
    """The notice whose `content()` was stored. Raises `Unreadable` when it is not the text that `named` names."""
    if text_hash(content) != named:
        raise Unreadable("a stored notice is not the one its hash names")
    plain = json.loads(content)
    points = tuple(Point(**{**one, "paragraphs": tuple(one["paragraphs"])}) for one in plain["points"])
    return Notice(**{**plain, "points": points, "introduction": tuple(plain["introduction"]), "hash": named})


def text_hash(text: str) -> str:
    """The hash by which a text is named in evidence: over its NFC form in UTF-8, so that equal looks mean equal hashes."""
    return content_hash(unicodedata.normalize("NFC", text).encode())


def render(business: Business, language: str, translate: Translate, *, stop_word: str = "STOP") -> Notice:
    """Both layers in one language.

    Args:
        business: what business.yaml declares.
        language: tag of the language that `translate` speaks.
        translate: gives the text in that language, or as it is; business.yaml's own texts go through it too.
        stop_word: the word that stops messages in that language.

    Raises:
        SettingsProblem: when even the shortest form of the first layer has more than 1000 characters; it says what to shorten.
    """
    say = _Sayer(translate)
    declared = business.notice
    found = Notice(
        id=declared.id,
        version=declared.version,
        language=language,
        link=declared.link,
        title=say(_TITLE, business=business.name),
        short=_short(business, say, stop_word),
        introduction=(
            say(_BOT, bot=business.bot_name or business.name, business=business.name),
            say(_CATEGORIES, data=_listed(say(one) for one in declared.data)),
            say(_READ),
        ),
        points=_points(business, say, stop_word),
        material_change=declared.material_change,
    )
    return replace(found, hash=text_hash(found.content()))


class _Sayer:
    """Translates and fills in. A translation that lost or invented a placeholder is passed over for the English original."""

    __slots__ = ("_translate",)

    def __init__(self, translate: Translate) -> None:
        self._translate = translate

    def __call__(self, text: str, **values: str) -> str:
        said = self._translate(text) if text else ""
        if not values:
            return said
        return fill(said if placeholders(said) == set(values) else text, **values)


# -- the first layer ------------------------------------------------------------------------------------------------------


def _short(business: Business, say: _Sayer, stop_word: str) -> str:
    for detailed in (True, False):
        text = _compose(business, say, stop_word, detailed=detailed)
        if len(text) <= SHORT_LIMIT:
            return text
    raise SettingsProblem(
        f"the short privacy notice has {len(text)} characters, {len(text) - SHORT_LIMIT} too many: in business.yaml, shorten "
        "`notice.data`, `notice.storage`, the purposes' `title`s or the processors' `name`s"
    )


def _compose(business: Business, say: _Sayer, stop_word: str, *, detailed: bool) -> str:
    names = [_recipient(one, say, detailed=detailed) for one in business.processors]
    who = [
        say(_BOT, bot=business.bot_name or business.name, business=business.name),
        say(_RESPONSIBLE, controller=business.controller.name, contact=_contact(business)),
    ]
    what = [
        say(_DATA, data=_listed(say(one) for one in business.notice.data)),
        say(_WHAT_FOR, purposes=_listed(say(one.title) for one in business.purposes.values())),
        say(_OTHERS, recipients=_listed(names)) if names else say(_NOBODY),
        say(_PLACE, storage=say(business.notice.storage)),
    ]
    # The way to object stands by itself (GDPR art. 21(4)).
    parts = [
        "\n".join(who),
        "\n".join(what),
        say(_READ),
        say(_STOP, stop=stop_word),
        say(_MORE, link=business.notice.link),
    ]
    return "\n\n".join(parts)


def _recipient(one: Processor, say: _Sayer, *, detailed: bool) -> str:
    return f"{one.name} ({say(one.does)})" if detailed else one.name


def _contact(business: Business) -> str:
    who = business.controller
    return who.email or who.phone or who.address or business.dpo.email or business.notice.link


def _listed(parts: Iterable[str]) -> str:
    return "; ".join(part.strip().rstrip(".") for part in parts if part.strip())


# -- the 13 points --------------------------------------------------------------------------------------------------------


def _points(business: Business, say: _Sayer, stop_word: str) -> tuple[Point, ...]:
    paragraphs = {
        "controller": _controller(business),
        "dpo": _officer(business, say),
        "purposes": [_purpose(one, say) for one in business.purposes.values()],
        "interests": _interests(business, say),
        "recipients": [_full_recipient(one, say) for one in business.processors] or [say(_NO_RECIPIENTS)],
        "transfers": _places(business, say),
        "retention": [say(business.notice.retention)],
        "rights": [say(_RIGHTS)],
        "withdrawal": [say(_WITHDRAW, stop=stop_word), say(_OBJECT, stop=stop_word)],
        "complaint": [say(business.notice.complaint)],
        "required": [say(business.notice.required or _NO_DUTY)],
        "automated": [say(business.notice.automated or _NO_AUTOMATION)],
        "further": [say(_FURTHER)],
    }
    return tuple(Point(key, article, say(heading), tuple(paragraphs[key])) for key, article, heading in HEADINGS)


def _controller(business: Business) -> list[str]:
    who = business.controller
    return [part for part in (who.name, who.address, who.country, who.email, who.phone) if part]


def _officer(business: Business, say: _Sayer) -> list[str]:
    found = [part for part in (business.dpo.name, business.dpo.email) if part]
    return found or [say(_NO_OFFICER)]


def _purpose(one: Purpose, say: _Sayer) -> str:
    title = f"{say(one.title)} ({say(one.frequency)})" if one.frequency else say(one.title)
    data = f" [{_listed(say(part) for part in one.data)}]" if one.data else ""
    return f"{title}: {say(_BASES[one.basis])}{data}"


def _interests(business: Business, say: _Sayer) -> list[str]:
    found = [f"{say(one.title)}: {say(one.interest)}" for one in business.purposes.values() if one.interest]
    return found or [say(_NO_INTEREST)]


def _places(business: Business, say: _Sayer) -> list[str]:
    countries = dict.fromkeys(say(one.country) for one in business.processors)
    said = [say(business.notice.storage), say(_COUNTRIES, countries=_listed(countries)) if countries else ""]
    return [one for one in (*said, say(business.notice.transfers)) if one]


def _full_recipient(one: Processor, say: _Sayer) -> str:
    transfer = f", {say(one.transfer)}" if one.transfer else ""
    return f"{one.name}: {say(one.does)} ({say(one.country)}{transfer})"


# -- what a notice must not say, and must not leave out -------------------------------------------------------------------

# Chats with a business over the Cloud API are not end-to-end encrypted: Meta decrypts them for the business (privacy.md 0.1, T37).
_END_TO_END_WORDS = (
    r"\be2ee?\b", r"\bend[\s-]*to[\s-]*end\b",
    r"(?:ponta|fim)[\s-]*(?:a|à|ao)[\s-]*(?:ponta|fim)\b",  # pt
    r"(?:extremo|punta)[\s-]*a[\s-]*(?:extremo|punta)",  # es
    r"bout[\s-]*en[\s-]*bout",  # fr
    r"ende?[\s-]*(?:zu|til|till)[\s-]*ende?\b",  # de, da, no
    r"(?:estremo|capo) a(?:ll)?[\s'’-]*(?:estremo|altro|capo)",  # it
    r"eind[\s-]*(?:tot|naar)[\s-]*eind",  # nl
    r"ko[nń](?:iec|ca|c)\w* do ko[nń]ca",  # pl, sl
    r"koncov\w* šifrov\w*", r"mezi koncovými", r"celovit\w* šifrira\w*",  # cs, sk, sl
    r"(?:od|s) kraja (?:do|na) kraja?",  # hr
    r"cap[aă]t[\s-]*la[\s-]*(?:cap[aă]t|altul)", r"cap[\s-]*la[\s-]*cap",  # ro
    r"végpont\w* (?:végpontig|közötti)",  # hu
    r"от край до край", r"сквозн\w* шифр\w*", r"от конца до конца", r"наскрізн\w* шифр\w*",  # bg, ru, uk
    r"(?:από )?άκρο (?:σε|ωσ|έωσ) άκρο", r"διατερματικ\w*",  # el
    r"uçtan[\s-]*uca",  # tr
    r"طرف (?:إلى|الى|لطرف) ?طرف", r"بين (?:ال)?طرفين",  # ar
    r"ände[\s-]*till[\s-]*ände", r"totalsträckskrypter\w*", r"päästä[\s-]*päähän",  # sv, fi
    r"otspunkt\w*", r"läbiv\w* krüpt\w*", r"gala līdz galam", r"pilnīg\w* šifrēšan\w*",  # et, lv
    r"ištisin\w* šifrav\w*", r"visapusišk\w* šifrav\w*", r"galo iki galo",  # lt
    r"tarf (?:sa|għal) tarf", r"cheann (?:go )?ceann",  # mt, ga
)  # fmt: skip
_END_TO_END = re.compile("|".join(_END_TO_END_WORDS))


def end_to_end_claims(text: str) -> list[str]:
    """The places where a text speaks of end-to-end encryption, in any of 30 languages; empty when there is none.

    Also a denial is found: a notice has no need of the words, and readers take them for a promise.
    """
    return [match[0] for match in _END_TO_END.finditer(unicodedata.normalize("NFKC", text).casefold())]


def check(business: Business, notice: Notice, *, stop_word: str = "STOP") -> list[str]:
    """What is wrong with a rendered notice, in plain words for the people who wrote business.yaml; empty when nothing is."""
    full = "\n".join((*notice.introduction, *(text for point in notice.points for text in point.paragraphs)))
    problems = [
        f"the notice speaks of `{claim}`: chats with a business are not encrypted end to end, because Meta and the business read them"
        for claim in dict.fromkeys(end_to_end_claims(f"{notice.short}\n{full}"))
    ]
    for one in business.processors:
        problems += [f"the short notice does not name {one.name}"] * (one.name not in notice.short)
        problems += [f"the full notice does not name {one.name}"] * (one.name not in full)
    if not any(re.search(r"\b(meta|whatsapp|facebook)\b", one.name.casefold()) for one in business.processors):
        problems.append(
            "Meta is not among the `processors`, although it carries every message (GDPR art. 13(1)(e), 28)"
        )
    if any(one.transfer for one in business.processors) and not business.notice.transfers:
        problems.append("a processor has a `transfer`, but `notice.transfers` is empty (GDPR art. 13(1)(f))")
    if not any((business.controller.email, business.controller.phone, business.controller.address)):
        problems.append("`controller` has neither `email`, `phone` nor `address` (GDPR art. 13(1)(a))")
    if notice.link not in notice.short:
        problems.append("the short notice lacks the link to the full one")
    if stop_word not in notice.short:
        problems.append(f"the short notice does not say that `{stop_word}` stops messages (GDPR art. 7(3), 21(4))")
    if len(notice.short) > SHORT_LIMIT:
        problems.append(f"the short notice has {len(notice.short)} characters; {SHORT_LIMIT} are allowed")
    problems += [
        f"the full notice says nothing on art. {one.article}" for one in notice.points if not any(one.paragraphs)
    ]
    return problems
