"""A form as a page shows it: fields in groups, kept values, errors beside their fields."""

from dataclasses import dataclass
from enum import StrEnum

from web.present import Act

RADIOS_UP_TO = 5


class FieldKind(StrEnum):
    """How a field is asked; `choices` takes several answers."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    DATE_TIME = "date_time"
    YES_NO = "yes_no"
    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True)
class Choice:
    """One answer: what is sent, what is read, and a grey remark."""

    value: str
    label: str
    hint: str = ""


YES_OR_NO = (Choice("yes", "Yes"), Choice("no", "No"))
_INPUT_TYPES = {
    FieldKind.DATE: "date",
    FieldKind.DATE_TIME: "datetime-local",
    FieldKind.EMAIL: "email",
    FieldKind.PHONE: "tel",
}


@dataclass(frozen=True)
class FieldView:
    """One question.

    `values` is what was typed or chosen, kept after a refusal (one item but for `choices`); dates are
    `2026-11-23`, date-times `2026-11-23T09:30` in the clinic's zone. `error` is a whole sentence that says
    what to enter; `name` must be unique on the page.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    values: tuple[str, ...] = ()
    options: tuple[Choice, ...] = ()
    hint: str = ""
    error: str = ""
    required: bool = True
    rows: int = 3
    longest: int = 0

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return YES_OR_NO if self.kind is FieldKind.YES_NO else self.options

    @property
    def as_radios(self) -> bool:
        """Few answers are all shown; many go into a select."""
        if self.kind in (FieldKind.YES_NO, FieldKind.CHOICES):
            return True
        return self.kind is FieldKind.CHOICE and len(self.options) <= RADIOS_UP_TO

    @property
    def long_choices(self) -> bool:
        return any(len(choice.label) + len(choice.hint) > 24 for choice in self.choices)

    @property
    def input_type(self) -> str:
        return _INPUT_TYPES.get(self.kind, "text")


@dataclass(frozen=True)
class FieldGroup:
    """Questions that belong together, under a heading or none."""

    fields: tuple[FieldView, ...]
    title: str = ""


@dataclass(frozen=True)
class FormView:
    """A form that posts to `url`.

    `sends` are hidden (name, value) pairs: put the one-time token there. `problem` is why the whole form was
    refused, `told` who learns of it when it is sent ("Lakeside Heart Group and the patient are told").
    `submit` is the verb on its button.
    """

    title: str
    url: str
    submit: str
    groups: tuple[FieldGroup, ...]
    sends: tuple[tuple[str, str], ...] = ()
    icon: str = "check"
    words: str = ""
    problem: str = ""
    told: str = ""
    cancel_url: str = ""
    cancel: str = "Leave it as it is"
    also: tuple[Act, ...] = ()

    @property
    def wrong(self) -> tuple[FieldView, ...]:
        """The fields that have an error, in order."""
        return tuple(field for group in self.groups for field in group.fields if field.error)
