"""Languages: BCP 47 tags, and whether a text is written in the one that was asked for."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import regex
from pydantic_core import PydanticCustomError

# Undetermined, several, none, uncoded: they name no language to write in.
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})

# ISO 15924 codes that stand for several scripts of Unicode.
_WRITTEN_IN: Mapping[str, frozenset[str]] = {
    "Hans": frozenset({"Hani"}),
    "Hant": frozenset({"Hani"}),
    "Jpan": frozenset({"Hani", "Kana"}),
    "Kore": frozenset({"Hang", "Hani"}),
}
_SCRIPTS = """
    Latn Cyrl Grek Arab Hebr Deva Beng Taml Telu Thai Hang Hani Kana Geor Armn Ethi Khmr Mymr Laoo Sinh
""".split()  # noqa: SIM905 (readable)
_LETTER = {
    script: regex.compile(r"[\p{Script=Hira}\p{Script=Kana}]" if script == "Kana" else rf"\p{{Script={script}}}")
    for script in _SCRIPTS
}
# Written in more than one script where the tag does not say which.
_TWO_SCRIPTS = frozenset({"sr", "bs", "uz", "az", "kk", "ku", "mn", "pa", "tk", "tt", "ha", "ms", "ky"})

# The commonest words of some languages in Latin script; enough to tell them apart, not to name a text's language.
_COMMON_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and to of is you that it in for with your are this on not have be what can how",
        "de": "der die und das ist nicht ein eine zu den mit sie es auf für ich du wie von dem wir auch so",
        "fr": "le la les et des est une dans que pour vous pas du ce qui sur avec plus il elle nous au",
        "es": "el la los las y de que en un una es por con para no se del lo su como más pero",
        "pt": "o os as e de que em um uma é por com para não se do da seu como mais mas você",
        "it": "il lo la gli e di che in un una è per con non si del della le sono come più ma",
        "nl": "de het een en van is dat niet je met voor op zijn aan er maar ook wat hoe te",
        "sv": "och att det som en är på för med inte av till den har du kan om ett hur men",
        "da": "og at det som en er på for med ikke af til den har du kan om et hvordan men",
        "nb": "og at det som en er på for med ikke av til den har du kan om et hvordan men",
        "fi": "ja on ei että se hän oli mutta kun niin myös tai voi sen mitä kuin ovat tämä ole",
        "pl": "i w na nie że się z do to jest jak co dla o ale po tak są czy przez",
        "cs": "a v na se že je to s z do jak co pro ale po tak jsou by který není",
        "tr": "ve bir bu da de için ile ne çok daha gibi ama var olan en o mi sen her kadar",
        "id": "dan yang di untuk dengan ini itu dari tidak anda adalah pada bisa akan ke kita apa juga",
        "ro": "și de în la cu nu este o un pe care din să ce mai pentru sunt au ca dar",
        "hu": "a az és hogy nem is egy ez azt van de meg csak már mint ki volt kell lehet így",
    }.items()
}
_COMMON_IN: Mapping[str, list[str]] = {
    word: [language for language, words in _COMMON_WORDS.items() if word in words]
    for word in frozenset().union(*_COMMON_WORDS.values())
}
_WORD = regex.compile(r"\p{L}+")
_FEWEST_LETTERS = 20
_FEWEST_WORDS = 20
_TELLING = 0.06


def load() -> None:
    """Import the registry now: it takes a fifth of a second, which no start and no request should wait for."""
    import langcodes  # noqa: F401, PLC0415


@lru_cache(maxsize=1024)
def canonical(tag: str) -> str:
    """The canonical form of a BCP 47 tag (`iw` is `he`, `pt-br` is `pt-BR`).

    Raises PydanticCustomError when the registry does not know it or it names no language.
    """
    import langcodes  # noqa: PLC0415

    try:
        known = langcodes.tag_is_valid(tag)
        made = langcodes.standardize_tag(tag)
    except ValueError:
        known, made = False, ""
    if not known or made.partition("-")[0] in _NO_LANGUAGE or made.startswith("x-"):
        raise PydanticCustomError("language_tag", "This is not a language tag (BCP 47), such as en or pt-BR")
    return made


@lru_cache(maxsize=4)  # asked twice about each draft: what is wrong with it, and what the answer says of it
def is_written_in(tag: str, text: str) -> bool | None:
    """Whether `text` seems to be in the language `tag`; None when it cannot be told.

    Told by the script of its letters and, for some languages in Latin script, by their commonest words. Not told
    apart: languages of one other script (Russian and Ukrainian), short texts, Latin script beyond the listed ones.
    """
    import langcodes  # noqa: PLC0415

    asked = langcodes.Language.get(tag)
    counts = _letters(text)
    total = sum(counts.values())
    script = asked.maximize().script or ""
    wanted = _WRITTEN_IN.get(script, frozenset({script}))
    ambiguous = asked.script is None and asked.language in _TWO_SCRIPTS
    if total < _FEWEST_LETTERS or ambiguous or not wanted <= set(_SCRIPTS):
        return None
    if sum(counts[one] for one in wanted) * 2 < total:
        return False
    if script == "Latn":
        return _by_words(asked.language or "", text)
    if script == "Jpan":
        return counts["Kana"] * 10 > total
    if script in {"Hans", "Hant"}:
        return counts["Kana"] * 10 <= total
    return True


def _letters(text: str) -> dict[str, int]:
    """How many letters of each script."""
    counts = dict.fromkeys(_LETTER, 0)
    for character, times in Counter(text).items():
        script = _script_of(character)
        if script:
            counts[script] += times
    return counts


@lru_cache(maxsize=4096)
def _script_of(character: str) -> str:
    return next((script for script, letters in _LETTER.items() if letters.match(character)), "")


def _by_words(language: str, text: str) -> bool | None:
    words = _WORD.findall(text.casefold())
    if len(words) < _FEWEST_WORDS:
        return None
    counts = dict.fromkeys(_COMMON_WORDS, 0)
    for word, times in Counter(words).items():
        for name in _COMMON_IN.get(word, ()):
            counts[name] += times
    shares = {name: count / len(words) for name, count in counts.items()}
    asked = shares.get({"no": "nb", "nn": "nb"}.get(language, language))
    best = max(shares.values())
    if asked is None or best < _TELLING:
        return None
    return asked * 2 >= best
