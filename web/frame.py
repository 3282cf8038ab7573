"""The frame round every signed-in page: rail, top bar, who is signed in and where."""

from dataclasses import dataclass, field

from web.present import Owner


@dataclass(frozen=True)
class NavItem:
    """One place in the rail. `key` follows G (`Q` for the queue); `on_phone` keeps it out of More."""

    slug: str
    label: str
    icon: str
    url: str
    key: str = ""
    count: int | None = None
    count_words: str = "waiting"
    on_phone: bool = False


@dataclass(frozen=True)
class SiteChoice:
    """A site the person may switch to; `url` takes a POST."""

    name: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Frame:
    """What base.html needs besides the page: pass it to every template as `frame`.

    `here` is the slug of the current place. `search_url` takes a POST of `q`, `live_url` is the stream of
    server-sent events (empty: no live indicator), `sign_out_url` takes a POST. `person_title` is the second
    line under the name.
    """

    here: str
    nav: tuple[NavItem, ...]
    organization: str
    site: str
    person: Owner
    person_title: str
    home_url: str
    sign_out_url: str
    search_url: str = ""
    live_url: str = ""
    sites: tuple[SiteChoice, ...] = field(default=())
    development: bool = False

    @property
    def more(self) -> tuple[NavItem, ...]:
        """The places a phone shows under More."""
        return tuple(item for item in self.nav if not item.on_phone)
