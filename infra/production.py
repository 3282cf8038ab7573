"""What production does not allow, each in words with the setting that changes it. Asked by every process of ours."""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import select

from activities.records.account import Account
from activities.records.ring import Unreadable
from activities.records.sessions import Sessions
from infra.keys import made_for_development
from infra.seed.people import load as load_staff
from infra.settings import Environment, Settings


class Unsafe(Exception):
    """The reasons, one sentence each."""


def refuse(settings: Settings) -> None:
    """Raises Unsafe with everything that is wrong; in development never."""
    if settings.env is Environment.PRODUCTION and (reasons := refusals(settings)):
        raise Unsafe(" ".join(reasons))


def refuse_seeded(settings: Settings, sessions: Sessions) -> None:
    """Raises Unsafe where the store knows people of the demo: everybody can read who they are."""
    if settings.env is not Environment.PRODUCTION:
        return
    demo = [person.account_id for person in load_staff().people]
    with sessions.platform() as session:
        known = session.scalars(select(Account.email).where(Account.id.in_(demo), Account.active)).all()
    if known:
        raise Unsafe(
            f"Production allows no people of the demo, and the store of CARELOOP_DATABASE_URL has {len(known)}, "
            f"such as {min(known)}. Begin with an empty store."
        )


def refusals(settings: Settings) -> list[str]:
    """What stands against running with these settings, whatever CARELOOP_ENV says."""
    return [words for check in CHECKS if (words := check(settings))]


def _simulators(settings: Settings) -> str:
    told = "Production runs no simulators: start with --no-simulators or set CARELOOP_SIMULATORS=false."
    return told if settings.simulators else ""


def _public_url(settings: Settings) -> str:
    return _encrypted("CARELOOP_PUBLIC_URL", settings.public_url)


def _issuer(settings: Settings) -> str:
    return _encrypted("CARELOOP_OIDC_ISSUER", settings.oidc_issuer)


def _encrypted(name: str, address: str) -> str:
    if not address:
        return f"Production needs {name}."
    return "" if urlsplit(address).scheme == "https" else f"{name} must begin with https://: it is {address}."


def _listener(settings: Settings) -> str:
    """Our web process speaks plain text: only to this machine, or to a proxy that ends TLS."""
    host = settings.web_bind.rpartition(":")[0].strip("[]")
    if settings.behind_proxy or host == "localhost" or _is_loopback(host):
        return ""
    told = f"CARELOOP_WEB_BIND={settings.web_bind} would listen in plain text for other machines. "
    return told + "Listen on 127.0.0.1, or put a proxy that ends TLS before it and set CARELOOP_BEHIND_PROXY=true."


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _master_key(settings: Settings) -> str:
    if settings.master_key_file is None:
        return "Production needs CARELOOP_MASTER_KEY_FILE, a file that does not lie beside the key ring."
    if not settings.master_key_file.exists():
        return f"CARELOOP_MASTER_KEY_FILE names {settings.master_key_file}, and there is no such file."
    return ""


def _ring(settings: Settings) -> str:
    """An absent or damaged ring is told where it is opened."""
    try:
        marked = settings.ring_file.exists() and made_for_development(settings)
    except Unreadable:
        return ""
    told = f"The key ring {settings.ring_file} was made in development. Make another with `careloop keys init` "
    return told + "while CARELOOP_ENV=production, or name it in CARELOOP_KEYS_FILE." if marked else ""


CHECKS: tuple[Callable[[Settings], str], ...] = (_simulators, _public_url, _issuer, _listener, _master_key, _ring)
