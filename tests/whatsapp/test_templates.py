"""Declared templates against those at Meta: what is written there, how they differ, and what may be done about it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.business import Template
from bot.whatsapp.templates import Content, Listed, components, creation, declared_in, differences, listed_in, plan
from tests.privacy.sample import BUSINESS

KEY = ("order_sent", "en")
CONTENT = Content("utility", "Order {{1}} is here.", "Good news", "Bye", (("quick_reply", "Thanks", ""),))


def declared(**more: Any) -> Template:
    plain = {"category": "utility", "purpose": "orders", "languages": {"en": "Order {{1}} is here."}, "samples": ["A"]}
    return Template.model_validate({**plain, **more})


def test_a_new_template_is_written_as_meta_documents_it() -> None:
    template = declared(
        header={"en": "Good news"}, footer={"en": "Bye"}, buttons={"en": ["Thanks"]}, payloads=["t"], lives="2 hours",
        link={"label": {"en": "Track"}, "address": "https://shop.example/t"},
    )  # fmt: skip
    business = BUSINESS.model_copy(update={"templates": {"order_sent": template}})

    assert creation(KEY, declared_in(business)[KEY], template) == {
        "name": "order_sent", "language": "en", "category": "UTILITY", "allow_category_change": False,
        "parameter_format": "POSITIONAL", "message_send_ttl_seconds": 7200, "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Good news"},
            {"type": "BODY", "text": "Order {{1}} is here.", "example": {"body_text": [["A"]]}},
            {"type": "FOOTER", "text": "Bye"},
            {"type": "BUTTONS", "buttons": [
                {"type": "QUICK_REPLY", "text": "Thanks"},
                {"type": "URL", "text": "Track", "url": "https://shop.example/t"}]}],
    }  # fmt: skip


def test_named_values_carry_their_names() -> None:
    body = components(Content("utility", "Dear {{name}}, welcome."), ("Ada",))[0]

    assert body["example"] == {"body_text_named_params": [{"param_name": "name", "example": "Ada"}]}


@pytest.mark.parametrize(
    ("content", "samples", "said"),
    [
        (Content("utility", "A {{1}} b."), (), "samples"),
        (Content("authentication", "{{1}}"), ("1",), "WhatsApp Manager"),
    ],
)
def test_what_cannot_be_submitted_is_told_before(content: Content, samples: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        components(content, samples)


def test_a_listing_is_read_with_tolerance() -> None:
    rows = [
        {"id": 7, "name": "a", "language": "en_US", "status": "paused", "category": "MARKETING", "quality_score": {"score": "RED"},
         "rejected_reason": "NONE", "components": [
             {"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hi"}, {"type": "CAROUSEL", "cards": []},
             {"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "text": "Copy"}, None]}]},
        {"name": "without language"}, "no object",
    ]  # fmt: skip
    found = dict(listed_in(rows))

    content = Content("marketing", "Hi", buttons=(("copy_code", "Copy", ""),), more=("HEADER IMAGE", "CAROUSEL"))
    assert found == {("a", "en_US"): Listed("7", "PAUSED", content, "", "RED")}


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{"), min_size=1, max_size=30)
CONTENTS = st.builds(
    Content,
    category=st.sampled_from(["utility", "marketing"]),
    body=TEXTS,
    header=TEXTS,
    footer=TEXTS,
    buttons=st.lists(
        st.one_of(st.tuples(st.just("quick_reply"), TEXTS, st.just("")), st.tuples(st.just("url"), TEXTS, st.just("https://x.example"))),
        max_size=3,
    ).map(tuple),
)  # fmt: skip


@given(CONTENTS)
def test_what_was_submitted_comes_back_without_a_difference(content: Content) -> None:
    row = {"id": "1", "name": "n", "language": "en", "status": "APPROVED", "category": content.category.upper()}
    listed = dict(listed_in([{**row, "components": components(content, ())}]))

    assert differences(content, listed["n", "en"].content) == ()


OTHER = Content("utility", "Something else.")


@pytest.mark.parametrize(
    ("ours", "theirs", "action"),
    [
        pytest.param(CONTENT, None, "create", id="not at Meta"),
        pytest.param(None, Listed("1", "APPROVED", CONTENT), "undeclared", id="at Meta only: left alone"),
        pytest.param(CONTENT, Listed("1", "APPROVED", CONTENT), "keep", id="the same"),
        pytest.param(CONTENT, Listed("1", "PAUSED", OTHER), "edit", id="another text"),
        pytest.param(CONTENT, Listed("1", "PENDING", OTHER), "cannot", id="in review"),
        pytest.param(CONTENT, Listed("1", "APPROVED", Content("marketing", CONTENT.body)), "cannot", id="Meta calls it marketing"),
        pytest.param(CONTENT, Listed("1", "REJECTED", Content("marketing", CONTENT.body)), "edit", id="rejected for its category"),
        pytest.param(Content("authentication", "{{1}}"), None, "cannot", id="a one-time code"),
        pytest.param(Content("authentication", "{{1}}"), Listed("1", "APPROVED", Content("authentication", "Meta's words")), "keep",
                     id="a one-time code at Meta"),
    ],
)  # fmt: skip
def test_what_has_to_happen(ours: Content | None, theirs: Listed | None, action: str) -> None:
    steps = plan({KEY: ours} if ours else {}, {KEY: theirs} if theirs else {})

    assert [(one.key, one.action) for one in steps] == [(KEY, action)]
    assert bool(steps[0].why) == (action == "cannot")
