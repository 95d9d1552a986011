"""Every rule of the linter: one flow that breaks it, the exact place, the message; and the page that explains them."""

# ruff: noqa: E501 - a case stands on its line

import ast
import re

import pytest

from bot.app.project import privacy_meaning
from bot.engine.loader import load
from tests.engine.phone import FLOWS, files

ROOT = FLOWS.parent
PAGE = (ROOT / "docs" / "flows" / "rules.md").read_text()
HEAD = "flow: mine\ntitle: Mine\npurpose: support\n"

BREAKS = [
    pytest.param(
        "steps:\n  - end\n  - say: never\n",
        "unreachable",
        "6:5",
        "warning",
        "No way leads to this step.",
        id="a step behind the end",
    ),
    pytest.param(
        "data: {a: {type: text, keep: 1 day}}\nsteps:\n  - ask: What?\n    into: a\n    outcomes: {gave_up: [{say: Oh}]}\n  - say: Thanks\n",
        "falls-through",
        "8:25",
        "warning",
        "After `gave_up` the flow goes on below as if this step had succeeded.",
        id="an outcome that runs on",
    ),
    pytest.param(
        "interrupt: never\nsteps: [say: a, say: b, say: c, say: d, say: e, say: f, say: g, say: h, say: i]\n",
        "interrupt-never",
        "4:12",
        "warning",
        "Nobody can leave this flow for another one over 9 steps.",
        id="nobody can leave a long flow",
    ),
    pytest.param(
        "idle: {after: 1 hour, remind_after: 2 hours}\nsteps: [{menu: What?, options: {a: A, b: B}}]\n",
        "idle-late",
        "4:37",
        "error",
        "The flow is over before anybody is reminded.",
        id="a reminder after the end",
    ),
    pytest.param(
        "idle: {after: 3 days, remind_after: 25 hours}\nsteps: [{menu: What?, options: {a: A, b: B}}]\n",
        "idle-window",
        "4:37",
        "error",
        "The 24-hour window is closed by then, so that nobody would be reminded (Meta: customer service window).",
        id="a reminder when only a template may be sent",
    ),
    pytest.param(
        "idle: {after: 1 day, remind_after: 2 hours, template: nothing_such}\nsteps: [{menu: What?, options: {a: A, b: B}}]\n",
        "unknown-template",
        "4:55",
        "error",
        "There is no template called `nothing_such`.",
        id="a reminder by a template nobody declared",
    ),
    pytest.param(
        "idle: {after: 1 day, remind_after: 2 hours, template: monthly_news}\nsteps: [{menu: What?, options: {a: A, b: B}}]\n",
        "template-values",
        "4:55",
        "error",
        "The template `monthly_news` wants values, and a reminder has none.",
        id="a reminder by a template with values",
    ),
    pytest.param(
        "returns: [b]\ndata: {a: {type: text, keep: 1 day}}\nsteps: [{ask: What?, into: a}]\n",
        "unknown-return",
        "4:11",
        "error",
        "The flow returns `b`, which is not among `data`.",
        id="a return nobody declared",
    ),
    pytest.param(
        "data: {a: {type: text, keep: 1 day}}\nsteps:\n  - ask: What?\n    into: a\n    wait: 0 hours\n",
        "no-time",
        "8:11",
        "error",
        "`wait` is no time at all.",
        id="no time to answer",
    ),
    pytest.param(
        "steps:\n  - consent: newsletter\n    ask: May Casa Lua write? Write {words.stop} to stop.\n    double: {ask: Sure?, wait: 0 hours}\n",
        "no-time",
        "7:32",
        "error",
        "`wait` is no time at all.",
        id="no time for the second yes",
    ),
    pytest.param(
        "steps:\n  - run: newsletter\n    with: {colour: a}\n",
        "unknown-input",
        "6:20",
        "error",
        "The flow `newsletter` takes no input `colour`.",
        id="an input the other flow does not take",
    ),
    pytest.param(
        "data: {a: {type: text, keep: 1 day}}\nsteps:\n  - run: newsletter\n    save: {a: colour}\n",
        "not-returned",
        "7:15",
        "error",
        "The flow `newsletter` does not return `colour`.",
        id="a value the other flow does not return",
    ),
    pytest.param(
        "steps:\n  - run: mine\n",
        "flow-circle",
        "5:10",
        "error",
        "`mine` runs `mine` again: they would call each other for ever.",
        id="a flow that runs itself",
    ),
    pytest.param(
        "data:\n  a: {type: text}\nsteps: [say: x]\n",
        "unused-field",
        "5:6",
        "warning",
        "`a` is never used.",
        id="a field nobody uses",
    ),
    pytest.param(
        "data:\n  a: {type: text}\nsteps: [{ask: What?, into: a}]\n",
        "never-read",
        "5:6",
        "error",
        "`a` is asked for but never used (GDPR art. 5(1)(c): ask only for what is needed).",
        id="an answer nobody needs",
    ),
    pytest.param(
        "data:\n  a: {type: time, min: early}\nsteps: [{ask: What?, into: a}, say: '{a}']\n",
        "bad-bound",
        "5:24",
        "error",
        "`early` is no bound for the type `time`.",
        id="a bound that is no time",
    ),
    pytest.param(
        "data:\n  a: {type: number, expects: future}\nsteps: [{ask: What?, into: a}, say: '{a}']\n",
        "bad-bound",
        "5:30",
        "error",
        "`a` is of the type `number`, which is neither past nor future.",
        id="a number of the future",
    ),
    pytest.param(
        "data:\n  a: {type: number, min: 5, max: 3}\nsteps: [{ask: What?, into: a}, say: '{a}']\n",
        "bad-bound",
        "5:34",
        "error",
        "The most is less than the least.",
        id="bounds that leave nothing",
    ),
    pytest.param(
        "data: {a: {type: text}}\nsteps:\n  - say: So {a}.\n  - ask: What?\n    into: a\n",
        "read-early",
        "6:10",
        "error",
        "`a` is read here before anything can have set it.",
        id="a value read before it is asked for",
    ),
    pytest.param(
        "data: {size: {type: text, keep: 1 day}}\nsteps:\n  - ask: What?\n    into: size\n  - when: [{if: sise is known, then: [end]}]\n    else: carry on\n",
        "unknown-value",
        "8:17",
        "error",
        "There is no value `sise`.",
        id="a condition on a value that is not there",
    ),
    pytest.param(
        "data: {a: {type: text}}\nsteps:\n  - ask: What?\n    into: a\n  - when: [{if: a is more than 3, then: [end]}]\n    else: carry on\n",
        "type-mismatch",
        "8:17",
        "error",
        "`a` is of the type `text`, which has no more or less.",
        id="more than a text",
    ),
    pytest.param(
        "data: {a: {type: choice}}\nsteps:\n  - ask: Which?\n    into: a\n    options: {red: Red, blue: Blue}\n  - when: [{if: a is bleu, then: [end]}]\n    else: carry on\n",
        "unknown-option",
        "9:17",
        "error",
        "`a` is never `bleu`.",
        id="an option that cannot be chosen",
    ),
    pytest.param(
        "data:\n  a: {type: text, keep: 1 day, pattern: order_numbre}\nsteps: [{ask: What?, into: a}]\n",
        "unknown-pattern",
        "5:41",
        "error",
        "There is no pattern called `order_numbre` in business.yaml.",
        id="a pattern nobody declared",
    ),
    pytest.param(
        "data: {a: {type: number, keep: 1 day}}\nsteps:\n  - ask: Which?\n    into: a\n    options: {one: One, two: Two}\n",
        "type-options",
        "7:11",
        "error",
        "`a` is of the type `number`, but there are options to choose from.",
        id="options for a number",
    ),
    pytest.param(
        "data: {a: {type: choice, keep: 1 day}}\nsteps:\n  - ask: Which?\n    into: a\n",
        "no-options",
        "7:11",
        "error",
        "`a` is a choice, but there is nothing to choose from.",
        id="a choice of nothing",
    ),
    pytest.param(
        "steps:\n  - menu: " + "x" * 1025 + "\n    options: {a: One}\n",
        "body-long",
        "5:11",
        "error",
        "This question has 1025 characters; a text with buttons or a list holds 1024.",
        id="a question too long for buttons",
    ),
    pytest.param(
        "steps:\n  - say: Look\n    link_button: {label: A label that is far too long, to: links.shop}\n",
        "label-long",
        "6:26",
        "error",
        "This label has 28 characters; a button holds 20.",
        id="a link button too long",
    ),
    pytest.param(
        "steps:\n  - say: Look\n    link_button: {label: Look, to: links.shopp}\n",
        "unknown-link",
        "6:36",
        "error",
        "There is no link `links.shopp`.",
        id="a link nobody declared",
    ),
    pytest.param(
        "steps:\n  - send: monthly_news\n",
        "template-values",
        "5:11",
        "error",
        "The template `monthly_news` wants 1 in `en`, but `with` gives 0.",
        id="a template without its value",
    ),
    pytest.param(
        "data: {a: {type: text, keep: 1 day}}\nsteps:\n  - ask: What?\n    into: a\n    outcomes: {silent: [{say: Are you there?}, end]}\n",
        "window-shut",
        "8:25",
        "error",
        "After 24 hours of silence WhatsApp takes no free text; this would never arrive.",
        id="free text after a day of silence",
    ),
    pytest.param(
        "language: qq\nsteps: [say: x]\n",
        "unknown-language",
        "4:11",
        "error",
        "`qq` is not a language tag.",
        id="a language that does not exist",
    ),
    pytest.param(
        "language: english\nsteps: [say: x]\n",
        "unknown-language",
        "4:11",
        "error",
        "`english` is not a language tag.",
        id="a language spelt out",
    ),
    pytest.param(
        "starts:\n  - words: [stop]\nsteps: [say: x]\n",
        "word-reserved",
        "5:13",
        "error",
        "`stop` means `stop` to the privacy intents, which always win: it would never start this flow.",
        id="a start word that means stop",
    ),
    pytest.param(
        "starts:\n  - words: [parar]\nsteps: [say: x]\n",
        "word-reserved",
        "5:13",
        "error",
        "`parar` means `stop` to the privacy intents, which always win: it would never start this flow.",
        id="a start word that means stop in Portuguese",
    ),
    pytest.param(
        "starts:\n  - words: [human]\nsteps: [say: x]\n",
        "word-reserved",
        "5:13",
        "error",
        "`human` means `agent` to the privacy intents, which always win: it would never start this flow.",
        id="a start word that asks for a person",
    ),
    pytest.param(
        'starts:\n  - words: ["1"]\nsteps: [say: x]\n',
        "word-digits",
        "5:13",
        "error",
        "`1` is only digits; people write numbers as answers and in lists.",
        id="a start word of digits",
    ),
    pytest.param(
        'starts:\n  - words: [" "]\nsteps: [say: x]\n',
        "word-empty",
        "5:13",
        "error",
        "This start word is empty.",
        id="an empty start word",
    ),
    pytest.param(
        "starts:\n  - link: news\nsteps: [say: x]\n",
        "start-clash",
        "5:11",
        "error",
        "The link `news` starts the flow `newsletter` already.",
        id="a link of another flow",
    ),
    pytest.param(
        "steps:\n  - menu: What next?\n    options:\n      out: {label: Stop, then: [end]}\n      on: Go on\n",
        "option-stop",
        "7:12",
        "error",
        "`Stop` says stop, but choosing it withdraws nothing (GDPR art. 7(3)).",
        id="an option that says stop and does not",
    ),
    pytest.param(
        "data:\n  a: {type: text, keep: until_withdrawn}\nsteps: [{ask: What?, into: a}]\n",
        "keep-for-ever",
        "5:25",
        "error",
        "`support` does not rest on consent, so `a` would be kept for ever.",
        id="kept for ever",
    ),
    pytest.param(
        "data:\n  a: {type: text, keep: a while}\nsteps: [{ask: What?, into: a}]\n",
        "keep-unclear",
        "5:25",
        "error",
        "`a while` is no length of time.",
        id="kept for no length",
    ),
    pytest.param(
        "data:\n  a: {type: text, keep: 2 years}\nsteps: [{ask: What?, into: a}]\n",
        "keep-long",
        "5:25",
        "error",
        "`a` would be kept 730 days; `support` allows 365.",
        id="kept longer than the purpose allows",
    ),
    pytest.param(
        "data:\n  a: {type: yes_no, keep: 1 day, default: yes}\nsteps: [{ask: What?, into: a}]\n",
        "preselected",
        "5:43",
        "error",
        "`a` says yes before anybody was asked (GDPR art. 4(11): an unambiguous act).",
        id="yes before the question",
    ),
    pytest.param(
        "needs_consent: [support]\nsteps: [say: x]\n",
        "consent-unasked",
        "4:17",
        "error",
        "No flow asks for the consent `support`: nobody could ever pass.",
        id="a consent nobody asks for",
    ),
    pytest.param(
        "data: {a: {type: text, keep: 1 day}}\nsteps:\n  - ask: What is your card number?\n    into: a\n",
        "asks-secret",
        "6:10",
        "error",
        "`card number` must not be asked for in a chat.",
        id="a card number in the chat",
    ),
    pytest.param(
        "data: {a: {type: text, keep: 1 day}}\nsteps:\n  - ask: What is the name of your child?\n    into: a\n",
        "third-person",
        "6:10",
        "error",
        "This asks about somebody else, but `a` is declared as about the person (GDPR art. 14).",
        id="a question about a child",
    ),
    pytest.param(
        "data: {a: {type: long_text, keep: 1 day, sensitive: yes}}\nsteps:\n  - ask: What hurts?\n    into: a\n",
        "free-text",
        "6:10",
        "error",
        "People may write anything into `a`, which is sensitive, and are not warned.",
        id="free words on a sensitive matter",
    ),
    pytest.param(
        "data: {a: {type: email}}\nsteps:\n  - ask: Your e-mail?\n    into: a\n  - say: We write to {a}.\n",
        "echo-contact",
        "8:10",
        "error",
        "`a` would be shown in full on a screen others may see.",
        id="an e-mail address shown in full",
    ),
    pytest.param(
        "steps:\n  - consent: newsletter\n    ask: May Casa Lua write to you?\n    double: {ask: Sure?}\n",
        "no-way-out",
        "6:10",
        "error",
        "The question does not say how to stop (GDPR art. 7(3): before consent is given).",
        id="a consent without a way out",
    ),
    pytest.param(
        "steps:\n  - consent: newsletter\n    ask: May Casa Lua write about your orders and news? Write {words.stop} to stop.\n    double: {ask: Sure?}\n",
        "consent-bundle",
        "6:10",
        "error",
        "The question also speaks of `orders`: one question, one purpose (GDPR art. 7(2), recital 43).",
        id="a consent to two purposes",
    ),
    pytest.param(
        "data: {a: {type: text}}\nsteps:\n  - ask: Number?\n    into: a\n  - call: shop.find_order\n    with: {number: a}\n    outcomes: {failed: [end]}\n",
        "other-purpose",
        "9:20",
        "error",
        "`a` is kept for `support`, but `shop.find_order` uses it for `orders`.",
        id="a field sent for another purpose",
    ),
    pytest.param(
        "purpose: orders\nsteps:\n  - call: shop.find_order\n    retries: 2\n    outcomes: {failed: [end]}\n",
        "no-once-per",
        "5:5",
        "error",
        "`shop.find_order` may be sent twice when it is tried again.",
        id="a call that may happen twice",
    ),
    pytest.param(
        "data: {a: {type: text}}\nsteps:\n  - ask: What?\n    into: a\n  - send: monthly_news\n    with: [a]\n    purpose: orders\n",
        "send-purpose",
        "10:14",
        "error",
        "The template `monthly_news` serves `newsletter`, not `orders`.",
        id="a template for another purpose",
    ),
    pytest.param(
        "data: {a: {type: text, sensitive: yes}}\nsteps:\n  - ask: What?\n    into: a\n  - send: monthly_news\n    with: [a]\n",
        "sensitive-sent",
        "9:12",
        "error",
        "`a` is sensitive and may not stand in a template.",
        id="a sensitive value in a template",
    ),
    pytest.param(
        "data: {a: {type: text, sensitive: yes}}\nsteps:\n  - ask: What?\n    into: a\n  - say: Look\n    link_button: {label: Look, to: a}\n",
        "sensitive-link",
        "9:36",
        "error",
        "`a` is sensitive and may not stand in a web address.",
        id="a sensitive value in an address",
    ),
    pytest.param(
        "data:\n  a: {type: text, keep: 1 day, purpose: suport}\nsteps: [{ask: What?, into: a}]\n",
        "unknown-purpose",
        "5:41",
        "error",
        "There is no purpose called `suport`.",
        id="a purpose nobody declared",
    ),
    pytest.param(
        "steps:\n  - id: a\n    say: x\n  - id: a\n    say: y\n",
        "duplicate-id",
        "7:9",
        "error",
        "Two steps are called `a`.",
        id="two steps of one name",
    ),
    pytest.param(
        "steps:\n  - id: end\n    say: x\n",
        "reserved-id",
        "5:9",
        "error",
        "`end` has a meaning of its own.",
        id="a step called end",
    ),
    pytest.param(
        "steps:\n  - stop: all\n",
        "privacy-verb",
        "5:5",
        "error",
        "`stop` may only stand in the built-in flows under flows/privacy/.",
        id="a verb of the built-in flows",
    ),
    pytest.param(
        "steps:\n  - menu: What?\n    options: {a: One}\n    outcomes: {silnt: [end]}\n",
        "unknown-outcome",
        "7:16",
        "error",
        "`menu` has no outcome `silnt`.",
        id="an outcome the verb does not have",
    ),
    pytest.param(
        'steps:\n  - say: "Hello {who"\n',
        "text-blank",
        "5:10",
        "error",
        "This text cannot be filled in: a `{` is not closed; write `{{` for the character itself.",
        id="a text that cannot be filled",
    ),
    pytest.param(
        "steps:\n  - say: Hello {who}\n",
        "unknown-field",
        "5:10",
        "error",
        "There is no field called `who`.",
        id="a field nobody declared",
    ),
    pytest.param(
        "data: {a: {type: text, sensitive: yes}}\nsteps:\n  - ask: What?\n    into: a\n  - say: So {a}.\n",
        "sensitive-shown",
        "8:10",
        "error",
        "`a` is sensitive and would be shown here.",
        id="a sensitive value shown",
    ),
    pytest.param(
        "steps:\n  - say: " + "x" * 4097 + "\n",
        "text-long",
        "5:10",
        "error",
        "This text has 4097 characters; WhatsApp takes 4096.",
        id="a text over the limit",
    ),
    pytest.param(
        "steps:\n  - menu: Which?\n    options: {o0: Option 0, o1: Option 1, o2: Option 2, o3: Option 3, o4: Option 4, o5: Option 5, o6: Option 6, o7: Option 7, o8: Option 8, o9: Option 9, o10: Option 10}\n",
        "options-many",
        "6:14",
        "error",
        "There are 11 options; a list holds 10.",
        id="eleven options",
    ),
    pytest.param(
        "steps:\n  - menu: Which?\n    options:\n      a: This is one letter more\n",
        "label-long",
        "7:10",
        "error",
        "This label has 23 characters; a button holds 20.",
        id="a button label too long",
    ),
    pytest.param(
        "steps:\n  - menu: Which?\n    options:\n      a: One\n      b: one\n",
        "label-twice",
        "8:10",
        "error",
        "`a` has the same label.",
        id="two options of one label",
    ),
    pytest.param(
        'steps:\n  - consent: newsletter\n    ask: May Casa Lua write? Write {words.stop} to stop.\n    yes_label: " "\n    double: {ask: Sure?}\n',
        "label-empty",
        "7:16",
        "error",
        "This button has no text.",
        id="a button without words",
    ),
    pytest.param(
        "steps:\n  - run: newslettr\n",
        "unknown-flow",
        "5:10",
        "error",
        "There is no flow called `newslettr`.",
        id="a flow that is not there",
    ),
    pytest.param(
        "steps:\n  - ask: What?\n",
        "no-into",
        "5:5",
        "error",
        "The answer is kept nowhere.",
        id="an answer kept nowhere",
    ),
    pytest.param(
        "steps:\n  - go: there\n",
        "unknown-step",
        "5:9",
        "error",
        "There is no step called `there`.",
        id="a jump to nowhere",
    ),
    pytest.param(
        "steps:\n  - id: a\n    say: x\n  - go: a\n",
        "unbounded-jump",
        "7:5",
        "error",
        "This goes backwards without a bound.",
        id="a jump back without a bound",
    ),
    pytest.param(
        "steps:\n  - id: a\n    go: a\n",
        "unbounded-jump",
        "5:5",
        "error",
        "This goes backwards without a bound.",
        id="a jump to itself",
    ),
    pytest.param(
        "steps:\n  - call: shop.find_ordr\n    outcomes: {failed: [end]}\n",
        "unknown-action",
        "5:11",
        "error",
        "There is no connector action called `shop.find_ordr`.",
        id="an action nobody declared",
    ),
    pytest.param(
        "steps:\n  - call: shop.find_order\n    with: {colour: a}\n    outcomes: {failed: [end]}\n",
        "field-not-sent",
        "6:20",
        "error",
        "There is no field this action may be sent called `colour`.",
        id="a field that may not leave",
    ),
    pytest.param(
        "data: {a: {type: text, keep: 1 day}}\nsteps:\n  - call: shop.find_order\n    save: {a: colour}\n    outcomes: {failed: [end]}\n",
        "field-not-kept",
        "7:15",
        "error",
        "There is no field this action may keep called `colour`.",
        id="a field of the answer that is not kept",
    ),
    pytest.param(
        "steps:\n  - call: shop.find_order\n",
        "failed-open",
        "5:5",
        "warning",
        "Nothing is said when the system does not answer.",
        id="silence when a system fails",
    ),
    pytest.param(
        "steps:\n  - consent: newsletter\n    ask: May Casa Lua write? Write {words.stop} to stop.\n",
        "consent-single",
        "5:5",
        "error",
        "`newsletter` needs a second yes.",
        id="a consent with one yes",
    ),
    pytest.param(
        "steps:\n  - consent: newsletter\n    ask: May we write? Write {words.stop} to stop.\n    double: {ask: Sure?}\n",
        "consent-nameless",
        "6:10",
        "error",
        "The question does not name the business (Meta's opt-in rule; GDPR art. 4(11)).",
        id="a consent that names nobody",
    ),
    pytest.param(
        "steps:\n  - handoff: {team: front_dsk}\n",
        "unknown-team",
        "5:21",
        "error",
        "There is no team called `front_dsk`.",
        id="a team nobody declared",
    ),
    pytest.param(
        "data: {a: {type: text, sensitive: yes}}\nsteps:\n  - ask: What?\n    into: a\n  - handoff: {team: front_desk, share: [a]}\n",
        "sensitive-shared",
        "8:41",
        "error",
        "`a` is sensitive and may not be shared.",
        id="a sensitive value shared",
    ),
    pytest.param(
        "steps:\n  - send: monthly_nws\n",
        "unknown-template",
        "5:11",
        "error",
        "There is no template called `monthly_nws`.",
        id="a template nobody declared",
    ),
    pytest.param(
        "only_if: now iss known\nsteps: [say: x]\n",
        "condition",
        "4:10",
        "error",
        "This condition cannot be read at column 9: `known` is not expected here.",
        id="a condition that cannot be read",
    ),
    pytest.param(
        "starts:\n  - words: [news]\nsteps: [say: x]\n",
        "word-clash",
        "5:13",
        "error",
        "`news` starts the flow `newsletter` already.",
        id="a start word of another flow",
    ),
]


def business_flows(**own: str) -> dict[str, bytes]:
    """The example business without the built-in flows, which take long to read."""
    return {name: content for name, content in files(**own).items() if not name.startswith("privacy/")}


@pytest.mark.parametrize(("rest", "code", "place", "severity", "reason"), BREAKS)
def test_a_flow_that_breaks_a_rule_is_told_where_and_why(
    rest: str, code: str, place: str, severity: str, reason: str
) -> None:
    head = HEAD.replace("purpose: support\n", "") if rest.startswith("purpose:") else HEAD
    loaded = load(business_flows(zmine=head + rest), require_builtin=False, meaning=privacy_meaning)

    found = [(one.code, f"{one.place.line}:{one.place.column}", one.severity, one.reason) for one in loaded.problems]
    assert found == [(code, place, severity, reason)]
    assert loaded.problems[0].place.file == "zmine.yaml"
    assert loaded.problems[0].source in (head + rest)[:6000]
    assert (loaded.book is None) == (severity == "error")


def test_an_input_the_other_flow_needs_is_missed() -> None:
    other = "flow: other\ntitle: Other\npurpose: support\ninputs: {a: {type: text}}\nsteps: [{say: 'So {a}.'}]\n"
    loaded = load(files(other=other, zmine=HEAD + "steps:\n  - run: other\n"))

    assert [(one.code, one.place.line, one.reason) for one in loaded.problems] == [
        ("missing-input", 5, "The flow `other` needs the input `a`.")
    ]


def test_a_marketing_template_needs_a_flow_that_asks_for_the_consent() -> None:
    """GDPR art. 6(1)(a), ePrivacy art. 13."""
    mine = HEAD + "data: {a: {type: text}}\nsteps:\n  - {ask: What?, into: a}\n  - send: monthly_news\n    with: [a]\n"
    silent = "flow: newsletter\ntitle: News\npurpose: newsletter\nsteps: [{say: x}]\n"
    loaded = load(files(newsletter=silent, zmine=mine))

    assert [(one.code, one.place.line, one.place.column) for one in loaded.problems] == [("send-unasked", 7, 11)]


def test_a_template_is_there_in_every_offered_language() -> None:
    own = files()["business.yaml"].decode()
    line = next(line for line in own.splitlines() if line.startswith('      es: "Novedades'))
    mine = HEAD + "data: {a: {type: text}}\nsteps:\n  - {ask: What?, into: a}\n  - send: monthly_news\n    with: [a]\n"
    loaded = load(business_flows(business=own.replace(line + "\n", ""), zmine=mine), require_builtin=False)

    assert [(one.code, one.place.line, one.severity) for one in loaded.problems] == [
        ("template-language", 7, "warning")
    ]


def test_what_leads_to_a_broken_flow_is_not_called_wrong() -> None:
    """One fault, one message: `welcome` runs the newsletter, whose file cannot be read."""
    loaded = load(files(newsletter="flow: newsletter\ntitle: News\nsteps:\n\t- say: x\n"))

    assert [(one.code, one.place.file) for one in loaded.problems] == [("yaml-tab", "newsletter.yaml")]


def test_the_shipped_flows_break_no_rule() -> None:
    assert load(files(), meaning=privacy_meaning).problems == ()


def codes() -> set[str]:
    """Every code that stands in a call of the loader, the reader or the linter."""
    calls = {"report", "report_at", "error", "warn", "_unknown", "Problem", "_missing"}
    found = set()
    for path in (ROOT / "bot" / "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in calls and isinstance(node.args[0].value, str):
                    found.add(node.args[0].value)
    return found


def test_every_code_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))

    assert explained == codes()


def test_every_rule_is_broken_by_a_flow_above() -> None:
    """The reader's codes and those of business.yaml are tried in tests/cli/test_flows_check.py, test_language.py,
    test_template_rules.py and test_moving.py."""
    tried = {case.values[1] for case in BREAKS} | {"missing-input", "send-unasked", "template-language"}
    elsewhere = {code for code in codes() if code.startswith(("yaml-", "template-", "format-"))} | {
        "missing", "unknown-key", "wrong-value", "unknown-verb", "no-business", "no-builtin", "unknown-processor",
        "no-frequency", "no-purpose", "duplicate-flow",
    }  # fmt: skip

    assert codes() - tried - elsewhere <= {"type-later"}
