"""Every kind of message that can go out, at random, within what WhatsApp takes; and what Meta must know of for it to be sendable."""

from hypothesis import strategies as st

from bot.domain.ids import Address, Bsuid, PhoneNumber, Wamid
from bot.domain.message import (
    AskMessage,
    ButtonsMessage,
    ContactCard,
    ContactsMessage,
    FormMessage,
    Header,
    LinkMessage,
    ListMessage,
    LocationMessage,
    MediaMessage,
    Moment,
    Money,
    Option,
    OutMessage,
    QuotingMessage,
    ReactionMessage,
    Section,
    TemplateButton,
    TemplateCard,
    TemplateMessage,
    TextMessage,
)

NUMBER, BOTH = Address(PhoneNumber("+15550100123")), Address(PhoneNumber("+15550100123"), Bsuid("US.1349"))
ADDRESSES = st.sampled_from([NUMBER, BOTH, Address(bsuid=Bsuid("PT.99abc"))])
WAMIDS = st.text(st.characters(categories=["L", "N"], max_codepoint=127), min_size=1, max_size=60).map(
    lambda s: Wamid(f"wamid.{s}")
)
URLS = st.sampled_from(
    ["https://shop.example", "https://shop.example/a?b=c&d=%20#e", "https://xn--bcher-kva.example/ü"]
)
EMOJIS = st.sampled_from(["👍", "❤️", "👨‍👩‍👧‍👦", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🙏🏽", ""])


def texts(most: int) -> st.SearchStrategy[str]:
    """Texts up to a length, often right at it; any character a phone can type, blank ones too."""
    return st.one_of(st.text(max_size=30), st.text(min_size=0, max_size=3).map(lambda s: (s + "x" * most)[:most]))


def titles(most: int) -> st.SearchStrategy[str]:
    return st.text(max_size=most)


def unique(options: list[Option]) -> bool:
    return len({one.id for one in options}) == len(options) == len({one.title for one in options})


OPTIONS = st.builds(Option, id=st.text(min_size=1, max_size=40), title=titles(20))
ROWS = st.builds(Option, id=st.text(min_size=1, max_size=40), title=titles(24), description=titles(72))
HEADERS = st.one_of(
    st.none(), st.builds(Header, text=texts(60)), st.builds(Header, kind=st.sampled_from(["image", "video", "document"]), link=URLS),
    st.sampled_from(["image", "video", "document"]).map(lambda kind: Header(kind=kind, media_id=f"up-{kind}")),
)  # fmt: skip
TEXT_HEADERS = st.one_of(st.none(), st.builds(Header, text=texts(60)))

CARDS = st.builds(
    ContactCard, name=titles(60), first_name=titles(20), last_name=titles(20), company=titles(20),
    phones=st.lists(st.just("+15550100199"), max_size=2).map(tuple), emails=st.lists(st.just("a@shop.example"), max_size=1).map(tuple),
    urls=st.lists(URLS, max_size=1).map(tuple),
)  # fmt: skip


def media(kind: str) -> st.SearchStrategy[OutMessage]:
    sources = st.one_of(URLS.map(lambda url: {"link": url}), st.just({"media_id": f"up-{kind}"}))
    more = st.fixed_dictionaries({
        "caption": texts(1024) if kind in ("image", "video", "document") else st.just(""),
        "filename": titles(40) if kind == "document" else st.just(""),
        "voice": st.booleans() if kind == "audio" else st.just(False),
    })  # fmt: skip
    return st.builds(lambda source, rest: MediaMessage(kind, **source, **rest), sources, more)


PLAIN: st.SearchStrategy[OutMessage] = st.one_of(
    st.builds(TextMessage, texts(4096), st.booleans()),
    st.builds(
        ButtonsMessage, texts(1024), st.lists(OPTIONS, min_size=1, max_size=3).filter(unique).map(tuple), texts(60), HEADERS
    ),
    st.builds(
        ListMessage, texts(1024), titles(20), st.lists(ROWS, min_size=1, max_size=10).filter(unique).map(tuple), texts(60), TEXT_HEADERS
    ),
    st.builds(
        lambda body, button, sections: ListMessage(body, button, sections=tuple(sections)),
        texts(1024), titles(20),
        st.lists(st.builds(Section, titles(24), st.lists(ROWS, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=3),
    ),
    st.builds(LinkMessage, texts(1024), titles(20), URLS, texts(60), HEADERS),
    *(media(kind) for kind in ("image", "video", "audio", "document", "sticker")),
    st.builds(LocationMessage, st.floats(-90, 90), st.floats(-180, 180), titles(60), titles(60)),
    st.builds(ContactsMessage, st.lists(CARDS, min_size=1, max_size=5).map(tuple)),
    st.builds(AskMessage, st.sampled_from(["location", "phone"]), texts(1024)),
    st.builds(AskMessage, st.just("address"), texts(1024), st.just("IN")),
    st.builds(
        FormMessage, texts(1024), titles(30), st.text(min_size=1, max_size=40), st.just("4711"), st.just(""), st.sampled_from(["", "ONE"]),
        st.just({}), texts(60), HEADERS,
    ),
    st.builds(FormMessage, texts(1024), titles(30), st.just("t1"), st.just(""), st.just("signup"), st.just("ONE"), st.just({"a": "b"})),
)  # fmt: skip

MESSAGES: st.SearchStrategy[OutMessage] = st.one_of(
    PLAIN, st.builds(ReactionMessage, WAMIDS, EMOJIS), st.builds(QuotingMessage, WAMIDS, PLAIN)
)

VALUES = st.one_of(
    st.text(min_size=1, max_size=40),
    st.builds(Money, titles(10), st.just("EUR"), st.integers(0, 10**9)),
    st.builds(Moment, titles(20)),
)


@st.composite
def templates(draw: st.DrawFn) -> TemplateMessage:
    """A template message with any mixture of parts; `tests.whatsapp.test_accepted` makes the template it is a filling of."""
    if draw(st.booleans()) and draw(st.booleans()):
        return TemplateMessage(
            "code", "en", code=draw(st.text(st.characters(categories=["N"], max_codepoint=127), min_size=4, max_size=8))
        )
    parameters = tuple(draw(st.lists(VALUES, max_size=4)))
    named = parameters and draw(st.booleans())
    names = tuple(f"v{chr(97 + n)}" for n in range(len(parameters))) if named else ()
    kinds = draw(st.lists(st.sampled_from(["quick_reply", "url", "copy_code", "flow"]), max_size=3, unique=True))
    actions = [TemplateButton(kind, index, draw(st.text(min_size=1, max_size=15))) for index, kind in enumerate(kinds)]
    header = draw(st.one_of(st.none(), st.builds(Header, text=titles(60)), HEADERS))
    cards = tuple(
        TemplateCard(Header(kind="image", media_id="up-image"), tuple(draw(st.lists(VALUES, max_size=2))), ())
        for _ in range(draw(st.sampled_from([0, 0, 2])))
    )
    offer = draw(st.sampled_from([0, 1_800_000_000_000]))
    return TemplateMessage(
        "any", draw(st.sampled_from(["en", "pt", "pt-BR"])), parameters, names, header=header, actions=tuple(actions), cards=cards,
        offer_ends=offer,
    )  # fmt: skip
