"""`entrypoint` and `command`: a text is split into words, it is not run by a shell."""

from dataclasses import dataclass

from app.domain.importing.compose import units
from app.domain.importing.compose.part import Part
from app.domain.importing.secrecy import hide_words

_LONGEST = 128 * 1024
"""Characters of a command: Linux takes no longer argument, and splitting is slow on long words."""
_MOST_WORDS = 4_096
_SAYS_LONG = (
    f"A command has at most {_LONGEST // 1024} KiB and {_MOST_WORDS} words: it is left out. Put it "
    "into a file of the image."
)


@dataclass(slots=True)
class Words:
    """The words of a command, which may have marks."""

    words: list[str]
    part: Part

    def text(self) -> str:
        return " ".join(self.words)


def read_command(service: Part, key: str) -> Words | None:
    """The words of a command; None when the image's own is used."""
    part = service.get(key)
    words = read_words(part) if part is not None else None
    if part is None or words is None:
        return None
    if not words:
        says = f"Kubernetes cannot empty the image's own {key}: it is used as it is."
        part.ignored(says)
        return None
    return Words(hide_words(words, key.upper()), part)


def read_words(part: Part) -> list[str] | None:
    """A text or a list as words; None with a note when they cannot be read."""
    if not isinstance(part.value, list):
        text = part.marked()
        if text is None:
            return None
        if len(text) > _LONGEST:
            part.ignored(_SAYS_LONG)
            return None
        words = units.words(text)
        if words is None:
            part.ignored("A quote is not closed: it is left out.")
        return words
    if len(part.value) > _MOST_WORDS:
        part.ignored(_SAYS_LONG)
        return None
    made: list[str] = []
    for item in part.items():
        if item.value is None:
            item.ignored("Write one value here: it is left out.")
        elif (text := item.marked()) is not None:
            made.append(text)
    return made
