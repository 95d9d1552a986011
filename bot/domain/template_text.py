"""The text of a template as Meta reads it: the values it holds, and the name of its language.

Knows nothing of flows, of wire bodies or of who gets a template.
"""

import re

VALUE = re.compile(r"\{\{\s*(\w+)\s*\}\}")

_LISTED = """
af sq ar ar_EG ar_AE ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr cs da prs_AF nl nl_BE en en_GB en_US
en_AE en_AU en_CA en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_ZA et fil fi fr fr_BE fr_CA fr_CH fr_CI fr_MA
ka de de_AT de_CH el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb ps_AF fa pl pt_BR pt_PT pa
ro ru sr si_LK sk sl es es_AR es_CL es_CO es_CR es_DO es_EC es_HN es_MX es_PA es_PE es_ES es_UY sw sv ta te th tr uk ur
uz vi zu
"""
_CODES = frozenset(_LISTED.split())
"""The languages in which Meta takes templates (Meta: message templates, supported languages)."""

_MEANT = {
    "pt": "pt_PT",
    "zh": "zh_CN",
    "no": "nb",
    "nn": "nb",
    "ky": "ky_KG",
    "rw": "rw_RW",
    "be": "be_BY",
    "si": "si_LK",
}
"""What a bare tag means where Meta only knows it with a country."""


def values_of(text: str) -> tuple[str, ...]:
    """The names of a text's values in the order in which they are sent: numbers by size, names as they first appear."""
    names = tuple(dict.fromkeys(VALUE.findall(text)))
    return tuple(sorted(names, key=int)) if all(one.isdecimal() for one in names) else names


def are_named(values: tuple[str, ...]) -> bool:
    """Whether values are sent with their names: not where they are numbered."""
    return any(not one.isdecimal() for one in values)


def meta_language(tag: str) -> str:
    """Meta's code for a language tag: `pt-BR` is `pt_BR`, `pt` is `pt_PT`, `de-LU` is `de`; empty where Meta has no such language."""
    language, _, country = tag.replace("-", "_").partition("_")
    language, code = language.lower(), f"{language.lower()}_{country.upper()}"
    if country and code in _CODES:
        return code
    return language if language in _CODES else _MEANT.get(language, "")
