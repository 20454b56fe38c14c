"""Words from catalogues: whole sentences with named values, the same files that the screen reads.

A message names its values in braces. Where a word follows a number it holds a form for each kind of number, as translators'
tools know it: `{count, plural, one {# row} other {# rows}}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from karvan.errors import DataError, Problem
from karvan.schema import LANGUAGES

Value = str | float

_POINT = {"en": "."}
_GROUP = {"en": ",", "de": ".", "az": "."}
_PERCENT = {"ru": "\u00a0%", "de": "\u00a0%"}
_VALUE = re.compile(r"\{(\w+)(?:, plural, ((?:\s*\w+ \{[^{}]*\})+))?\}")
_FORM = re.compile(r"(\w+) \{([^{}]*)\}")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Messages of a language by key, as they stand in its file."""
    text = resources.files("karvan.report").joinpath("messages", f"{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def require_language(language: str) -> None:
    """Raise unless it is one of LANGUAGES.

    Raises:
        DataError: It is not.
    """
    if language not in LANGUAGES:
        raise DataError(Problem("language", None, None, f"{language} must be one of {', '.join(LANGUAGES)}"))


@dataclass(frozen=True)
class Words:
    """One language: its messages and how it writes numbers.

    Attributes:
        language: One of LANGUAGES.
        names: What texts of the case are called in it, by English text; see `Corridor.names`.
    """

    language: str = "en"
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        require_language(self.language)

    def __call__(self, key: str, /, **values: Value) -> str:
        """The message of a key with its values put in.

        Text stands as it is; of numbers the name tells how they are written: `year` without groups, `share` as a percentage, `mt` with one
        decimal unless it is whole, all else with as many digits as a reader needs.
        """
        own = catalogue(self.language).get(key)
        text, language = (catalogue("en")[key], "en") if own is None else (own, self.language)

        def written(found: re.Match[str]) -> str:
            name, forms = found.groups()
            value = values[name]
            if forms is None:
                return self._written(name, value)
            by_kind: dict[str, str] = dict(_FORM.findall(forms))
            form: str = by_kind.get(plural(value, language), by_kind["other"])
            return form.replace("#", self._written(name, value))

        return _VALUE.sub(written, text)

    def called(self, text: str) -> str:
        """A text of the case in the language, or as it stands."""
        return self.names.get(text, text)

    def has(self, key: str) -> bool:
        """Whether there is a message of that key."""
        return key in catalogue("en")

    def _written(self, name: str, value: Value) -> str:
        if isinstance(value, str):
            return value
        if name.endswith("year"):
            return str(value)
        if name.endswith("share"):
            return self.percent(value)
        if name.endswith("mt"):
            return self.number(value, 0 if isinstance(value, int) else 1)
        return self.amount(value)

    def number(self, value: float, digits: int = 1, *, is_grouped: bool = True) -> str:
        """A number with so many decimals, its thousands apart or not."""
        return self._localised(f"{value:,.{digits}f}" if is_grouped else f"{value:.{digits}f}")

    def shortest(self, value: float) -> str:
        """A number as somebody would type it."""
        return self._localised(f"{value:g}")

    def amount(self, value: float) -> str:
        """A number with as many digits as a reader needs: 72,900 or 600 or 4.12; a count with all of them."""
        if isinstance(value, int):
            return self._localised(f"{value:,}")
        if abs(value) >= 1000.0:
            return self._localised(f"{round(value, -2):,.0f}")
        return self._localised(f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.3g}")

    def signed(self, value: float) -> str:
        """A small number with its sign."""
        return self._localised(f"{value:+.2g}")

    def percent(self, share: float, digits: int = 0, *, is_signed: bool = False) -> str:
        """A share as a percentage."""
        number = f"{share:+.{digits}%}" if is_signed else f"{share:.{digits}%}"
        return self._localised(number[:-1]) + _PERCENT.get(self.language, "%")

    def _localised(self, text: str) -> str:
        if self.language == "en":
            return text
        marks = {",": _GROUP.get(self.language, "\u00a0"), ".": _POINT.get(self.language, ",")}
        return "".join(marks.get(sign, sign) for sign in text)


def plural(value: Value, language: str) -> str:
    """Kind of a number by the plural rules of a language, for those that we have (Unicode CLDR, plurals): one, few, many, other."""
    if isinstance(value, str) or value != int(value):
        return "other"
    count = abs(int(value))
    if language != "ru":
        return "one" if count == 1 else "other"
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else "many"


ENGLISH = Words("en")
