"""A page of ours as a program reads it: its links, and its forms with what they already hold."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """`values` are what the browser would send unchanged; `choices` the answers each question offers, with labels."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def answer(self, name: str, label: str) -> str:
        """The value of the first offered answer whose label contains the words; raises LookupError."""
        for value, shown in self.choices.get(name, []):
            if value and label in shown:
                return value
        raise LookupError(f"{self.action} offers no answer “{label}” for {name}")

    def completed(self) -> dict[str, str]:
        """Every question answered: what is chosen already, else the first answer offered, else a few words."""
        filled = dict(self.values)
        for name, offered in self.choices.items():
            filled[name] = filled.get(name) or next((value for value, _ in offered if value), "")
        return {name: value or "Done in a scenario." for name, value in filled.items()}


@dataclass
class Page:
    links: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    words: str = ""

    def offers(self, address: str) -> bool:
        """Whether it has a link or a form to this address."""
        return address in self.links or any(form.action == address for form in self.forms)

    def form(self, address: str) -> Form:
        """The form that is sent to an address; raises LookupError."""
        found = next((one for one in self.forms if one.action == address), None)
        if found is None:
            raise LookupError(f"the page has no form for {address}")
        return found


def read_page(html: str) -> Page:
    """What is on a page; whatever is not a link, a form or text is passed over."""
    reader = _Reader()
    reader.feed(html)
    reader.page.words = " ".join(reader.text)
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page, self.text = Page(), list[str]()
        self._form: Form | None = None
        self._select, self._unnamed = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""))
            self.page.forms.append(self._form)
        elif self._form is not None:
            self._question(tag, given, self._form)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(" ".join(data.split()))
        if self._form is not None and self._unnamed and data.strip():
            offered = self._form.choices[self._unnamed]
            offered[-1] = (offered[-1][0], " ".join(data.split()))
            self._unnamed = ""

    def _question(self, tag: str, given: dict[str, str], form: Form) -> None:
        name = given.get("name", "")
        if tag == "select":
            self._select = name
            form.choices[name] = []
        elif tag == "option" and self._select:
            self._offer(given, form, self._select, "selected" in given)
        elif tag == "textarea" and name:
            form.values.setdefault(name, "")
        elif tag == "input" and name:
            self._input(given, form, name)

    def _input(self, given: dict[str, str], form: Form, name: str) -> None:
        if given.get("type") not in ("radio", "checkbox"):
            form.values[name] = given.get("value", "")
            return
        self._offer(given, form, name, "checked" in given)

    def _offer(self, given: dict[str, str], form: Form, name: str, chosen: bool) -> None:
        """One answer; the words that follow it are its label."""
        value = given.get("value", "on")
        form.choices.setdefault(name, []).append((value, ""))
        self._unnamed = name
        if chosen:
            form.values[name] = value
