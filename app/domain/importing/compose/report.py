"""What is said about a source, and bounds on how much is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.errors import Invalid
from app.domain.importing.imported import ImportCode, ImportNote
from app.domain.importing.source import MOST_VALUES

MOST_NOTES = 1_000
_MOST_TEXT = 4 * 1024 * 1024


@dataclass(slots=True)
class Report:
    """What is said about a source so far, and how much was made of it."""

    _notes: dict[tuple[tuple[str, ...], str], tuple[int, ImportNote]] = field(default_factory=dict)
    left_out: int = 0
    values: int = 0
    characters: int = 0

    def add(
        self,
        order: int,
        code: ImportCode,
        path: tuple[str, ...],
        message: str,
        node_id: str | None = None,
    ) -> None:
        if len(self._notes) >= MOST_NOTES and (path, message) not in self._notes:
            self.left_out += 1
            return
        note = ImportNote(code, path, message, node_id)
        self._notes.setdefault((path, message), (order, note))

    def notes(self, drawn: Mapping[str, object]) -> list[ImportNote]:
        """In source order. `drawn` are the nodes that there are in the end."""
        ordered = sorted(self._notes.values(), key=lambda pair: pair[0])
        made = [
            note
            if note.node_id is None or note.node_id in drawn
            else ImportNote(note.code, note.path, note.message)
            for _, note in ordered
        ]
        if self.left_out:
            says = f"{self.left_out} more notes are left out: correct the source and read it again."
            made.append(ImportNote(ImportCode.IGNORED, (), says))
        return made

    def count_value(self) -> int:
        """The number of one more part. Raises Invalid when there are too many."""
        self.values += 1
        if self.values > 2 * MOST_VALUES:
            says = f"With all that is extended and included it holds more than {MOST_VALUES} values"
            raise Invalid.field(("content",), f"{says}.")
        return self.values

    def count_text(self, text: str) -> str:
        """The same text. Raises Invalid when all texts together are too long."""
        self.characters += len(text)
        if self.characters > _MOST_TEXT:
            says = "Its variables make it longer than 4 MiB: give shorter values."
            raise Invalid.field(("content",), says)
        return text
