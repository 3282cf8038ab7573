"""`careloop token`: a bearer token for the FHIR door, from the development identity provider only."""

import sys
from typing import Annotated

import httpx
import typer

from infra.cli.up import HomeOption
from infra.seed.people import load as load_staff
from infra.settings import Environment, load

commands = typer.Typer()


@commands.command("token")
def token_command(
    user: Annotated[str, typer.Option(help="the partner's program, such as quillon-platform")],
    home: HomeOption = None,
) -> None:
    """Print a token for the FHIR door as a partner's program would get it. Development only."""
    settings = load(home)
    if settings.env is Environment.PRODUCTION or not settings.simulators:
        sys.exit("careloop: tokens are given by the development identity provider only; ask yours for one.")
    known = [one.client_id for one in load_staff().clients]
    if user not in known:
        sys.exit(f"careloop: {user} is none of the programs that may use the FHIR door: {', '.join(known)}.")
    secret = settings.home / "identity" / f"{user}.secret"
    if not secret.exists():
        sys.exit(f"careloop: no clinic has run in {settings.home} yet. Start it with `careloop up`.")
    try:
        answer = httpx.post(
            f"{settings.oidc_issuer}/token",
            data={"grant_type": "client_credentials"},
            auth=(user, secret.read_text().strip()),
            timeout=10,
        )
    except httpx.HTTPError:
        sys.exit("careloop: the identity provider does not answer. `careloop status` shows whether it runs.")
    if answer.status_code != httpx.codes.OK:
        sys.exit(f"careloop: the identity provider gave no token ({answer.status_code}).")
    print(answer.json()["access_token"])
