"""What was not understood in a list: where, the value's shape, why, and what to do. Never the value itself."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`row` counts as a spreadsheet does, the header being 1; `column` is empty where it concerns the whole row."""

    row: int
    column: str
    shape: str
    words: str
    remedy: str


class NotUnderstood(Exception):
    """One value that cannot be read, before its row is known."""

    def __init__(self, column: str, value: str, words: str, remedy: str) -> None:
        super().__init__(words)
        self.column, self.value, self.words, self.remedy = column, value, words, remedy

    def at(self, row: int) -> Problem:
        return Problem(row, self.column, shape(self.value), self.words, self.remedy)


def shape(value: str) -> str:
    """A value without what it says: digits as 9, letters as a and A, the rest as it is; at most 30 characters."""
    plain = re.sub(r"[^\W\d_]", lambda letter: "A" if letter[0].isupper() else "a", value.strip())
    return re.sub(r"\d", "9", plain)[:30]
