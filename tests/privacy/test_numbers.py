"""One line has one spelling here, its other spellings are known, and garbage is refused without being repeated."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.ids import Address, Bsuid, PhoneNumber
from bot.privacy import numbers


@pytest.mark.parametrize(
    ("typed", "region", "e164"),
    [
        pytest.param("+1 202-555-0123", None, "+12025550123", id="with spaces and dashes"),
        pytest.param("(202) 555-0123", "US", "+12025550123", id="national, the country known"),
        pytest.param("00 44 7700 900123", "GB", "+447700900123", id="a fictitious UK mobile with 00"),
        pytest.param("٠٠٣٥١٩١٢٣٤٥٦٧٨", "PT", "+351912345678", id="Arabic digits"),
        pytest.param("+54 11 15 1234-5678", None, "+5491112345678", id="the Argentine 15"),
        pytest.param("+52 1 55 1234 5678", None, "+5215512345678", id="the Mexican 1"),
        pytest.param("+229 90 12 34 56", None, "+22990123456", id="a Beninese number of before 2024"),
    ],
)
def test_a_number_as_people_write_it(typed: str, region: str | None, e164: str) -> None:
    assert numbers.canonical(typed, region=region).value == e164


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        pytest.param("hello", "digits only", id="words"),
        pytest.param("1-800-FLOWERS", "digits only", id="letters for digits"),
        pytest.param("303 555 0199", "we can read", id="no country code"),
        pytest.param("+1 303", "too short", id="too short"),
        pytest.param("+1 303 555 0199 4567", "too long", id="too long"),
        pytest.param("+999 1234567", "we can read", id="no such country"),
        pytest.param("", "not a telephone number", id="nothing"),
        pytest.param("+" + "1" * 200, "digits only", id="endless"),
        pytest.param("5550199", "we can read", id="local only"),
    ],
)
def test_garbage_is_refused_politely_and_not_repeated(typed: str, says: str) -> None:
    with pytest.raises(numbers.BadNumber) as caught:
        numbers.canonical(typed)
    words = str(caught.value)
    assert "please write" in words
    assert says in words
    assert not typed or typed not in words
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("number", "other"),
    [
        pytest.param("+5521987654321", "+552187654321", id="Brazil: the ninth digit"),
        pytest.param("+5511712345678", None, id="Brazil: eleven digits without a 9 are no mobile"),
        pytest.param("+5521923456789", None, id="Brazil: without its 9 this would be somebody's landline"),
        pytest.param("+552123456789", None, id="Brazil: a landline"),
        pytest.param("+5215512345678", "+525512345678", id="Mexico: the mobile 1"),
        pytest.param("+5491112345678", "+541112345678", id="Argentina: the mobile 9"),
        pytest.param("+2290190123456", "+22990123456", id="Benin: the 01"),
        pytest.param("+2250707012345", "+22507012345", id="Côte d'Ivoire: Orange"),
        pytest.param("+2250544012345", "+22544012345", id="Côte d'Ivoire: MTN"),
        pytest.param("+2250140012345", "+22540012345", id="Côte d'Ivoire: Moov"),
        pytest.param("+2250144012345", None, id="Côte d'Ivoire: an operator that never had that number"),
        pytest.param("+2252722012345", None, id="Côte d'Ivoire: a landline"),
        pytest.param("+12025550123", None, id="elsewhere"),
    ],
)
def test_the_other_spelling_of_a_line(number: str, other: str | None) -> None:
    assert numbers.variants(PhoneNumber(number)) == ((PhoneNumber(other),) if other else ())


@settings(max_examples=3000, deadline=None)
@given(st.sampled_from(["55", "52", "54", "229", "225", "351"]), st.from_regex(r"[0-9]{7,12}", fullmatch=True))
def test_spellings_name_each_other(country: str, national: str) -> None:
    number = PhoneNumber(f"+{country}{national}")
    for other in numbers.variants(number):
        assert other != number
        assert numbers.variants(other) == (number,)


@pytest.mark.parametrize("digits", ["", "+", "abc", "0123456789", "123", "1" * 16, "12 345 6789", "٣٥١٩١٢٣٤٥٦٧٨"])
def test_a_webhook_number_that_is_none_is_refused(digits: str) -> None:
    with pytest.raises(numbers.BadNumber):
        numbers.from_wa_id(digits)


@pytest.mark.parametrize("digits", ["15550783881", "+15550783881"])
def test_a_webhook_number_is_taken_as_meta_wrote_it(digits: str) -> None:
    assert numbers.from_wa_id(digits) == PhoneNumber("+15550783881")


def address(phone: str = "", bsuid: str = "") -> Address:
    return Address(phone=PhoneNumber(phone) if phone else None, bsuid=Bsuid(bsuid) if bsuid else None)


@pytest.mark.parametrize(
    ("who", "country"),
    [
        pytest.param(address("+12025550123"), "US", id="a number"),
        pytest.param(address("+12045550123"), "CA", id="the same code, another country"),
        pytest.param(address("+12025550123", "PT.123"), "PT", id="the BSUID says it best"),
        pytest.param(address("+5215512345678"), "MX", id="an old spelling"),
        pytest.param(address("+15550783881"), None, id="a number of nowhere"),
    ],
)
def test_the_country_of_a_person(who: Address, country: str | None) -> None:
    assert numbers.country(who) == country


@pytest.mark.parametrize(
    ("who", "zone"),
    [
        pytest.param(address("+13105550123"), "America/Los_Angeles", id="the number's own zone"),
        pytest.param(address(bsuid="BR.123"), "America/Sao_Paulo", id="the country's only mobile zone"),
        pytest.param(address(bsuid="US.123"), "America/New_York", id="of several, where most people live"),
        pytest.param(address("+351912345678"), "Europe/Lisbon", id="of several, the business's"),
        pytest.param(address("+13105550123", "DE.123"), "Europe/Berlin", id="an American number that lives in Germany"),
        pytest.param(address("+15550783881"), "Europe/Lisbon", id="of nowhere: the business's"),
    ],
)
def test_the_time_zone_of_a_person(who: Address, zone: str) -> None:
    assert numbers.time_zone(who, business_zone="Europe/Lisbon") == zone


def test_the_zone_of_a_bare_country() -> None:
    assert numbers.zone_of_country("jp", business_zone="Europe/Lisbon") == "Asia/Tokyo"
    assert numbers.zone_of_country("", business_zone="Europe/Lisbon") == "Europe/Lisbon"
    assert numbers.zone_of_country("XX", business_zone="Europe/Lisbon") == "Europe/Lisbon"
