"""What the texts of a case are called in other languages."""

from __future__ import annotations

import dataframely as dy

from karvan.schema import LANGUAGES, Table, choice, text


class Translations(Table):
    """Texts of the other tables, of measures and scenarios, in other languages. A text without a row is shown as it stands."""

    english = dy.String(
        primary_key=True,
        min_length=1,
        metadata={"doc": "Text as it stands in the case, letter by letter: a name, a title, a note."},
    )
    language = choice("Language of the translation, ISO 639-1.", LANGUAGES[1:], primary_key=True)
    translation = text("The text in that language.")
