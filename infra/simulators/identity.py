"""A development OpenID Connect provider: it asks for no password and knows only the people it is given.

Never for production. Authorization code with PKCE (S256) for people, client credentials with `private_key_jwt` or a
secret for programs of partners (SMART App Launch 2, backend services), RP-initiated logout.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from authlib.integrations.flask_oauth2 import AuthorizationServer  # type: ignore[import-untyped]
from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from flask import Flask, Response, jsonify, redirect, render_template, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jwt import JWTClaimsRegistry
from werkzeug.wrappers import Response as AnyResponse

from infra.simulators.identity_clients import Client, kept_key
from infra.simulators.identity_grants import (
    AccessTokens,
    CodeGrant,
    Desk,
    IdTokens,
    Known,
    PartnerAssertion,
    PartnerGrant,
    StrictChallenge,
)

SCOPES = ["openid", "profile", "email"]
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"


class Person(Protocol):
    """What the provider must know of somebody: `infra.seed.people.Person` has it."""

    @property
    def subject(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def title(self) -> str: ...


def create_identity(people: Sequence[Person], clients: Sequence[Client], issuer: str, folder: Path) -> Flask:
    """The provider as a Flask application, to be served at `issuer` (no trailing slash).

    Its signing key is made on the first start and kept in `folder`, so that tokens outlive a restart.
    """
    app = Flask("identity", template_folder=str(Path(__file__).with_name("templates")), static_folder=None)
    known = {one.subject: Known(one.subject, one.name, one.email, one.title) for one in people}
    desk = Desk(issuer, known, {one.client_id: one for one in clients}, _key(folder))
    server = AuthorizationServer(app, query_client=desk.clients.get, save_token=lambda _token, _request: None)
    server.register_token_generator("default", AccessTokens(desk))
    server.register_client_auth_method(PartnerAssertion.CLIENT_AUTH_METHOD, PartnerAssertion(desk))
    server.register_grant(type("CodeGrant", (CodeGrant,), {"desk": desk}), [StrictChallenge(), IdTokens(desk)])
    server.register_grant(PartnerGrant)
    _register(app, Endpoints(desk, server))
    return app


def _key(folder: Path) -> RSAKey:
    return kept_key(folder / "identity.jwk", {"use": "sig", "alg": "RS256"})


def _register(app: Flask, endpoints: "Endpoints") -> None:
    app.add_url_rule("/.well-known/openid-configuration", view_func=endpoints.discovery)
    app.add_url_rule("/.well-known/smart-configuration", "smart", view_func=endpoints.discovery)
    app.add_url_rule("/jwks", view_func=endpoints.jwks)
    app.add_url_rule("/authorize", view_func=endpoints.authorize)
    app.add_url_rule("/token", view_func=endpoints.token, methods=["POST"])
    app.add_url_rule("/userinfo", view_func=endpoints.userinfo)
    app.add_url_rule("/end-session", view_func=endpoints.end_session, methods=["GET", "POST"])
    app.add_url_rule("/healthz", view_func=endpoints.healthz)
    app.after_request(_headers)


def _headers(response: Response) -> Response:
    response.headers.update(
        {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Content-Security-Policy": PAGE_POLICY}
    )
    return response


class Endpoints:
    """The addresses of the provider."""

    def __init__(self, desk: Desk, server: Any) -> None:
        self._desk = desk
        self._server = server

    def discovery(self) -> Response:
        issuer = self._desk.issuer
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            userinfo_endpoint=f"{issuer}/userinfo",
            end_session_endpoint=f"{issuer}/end-session",
            jwks_uri=f"{issuer}/jwks",
            scopes_supported=SCOPES,
            response_types_supported=["code"],
            grant_types_supported=["authorization_code", "client_credentials"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"],
            token_endpoint_auth_methods_supported=["none", "client_secret_basic", "private_key_jwt"],
            token_endpoint_auth_signing_alg_values_supported=["RS384", "ES384"],
            code_challenge_methods_supported=["S256"],
            claims_supported=["sub", "name", "email", "auth_time", "acr", "sid"],
        )

    def jwks(self) -> Response:
        return jsonify(KeySet([self._desk.key]).as_dict(private=False))

    def authorize(self) -> AnyResponse | str | tuple[str, int]:
        """With `login_hint` that person is signed in at once; without, everybody is listed to choose from."""
        try:
            grant = self._server.get_consent_grant(end_user=None)
        except OAuth2Error as refusal:
            return f"{refusal.error}: {refusal.description}", 400
        person = self._desk.people.get(request.args.get("login_hint", ""))
        if person is None:
            return self._choose()
        response: AnyResponse = self._server.create_authorization_response(grant_user=person, grant=grant)
        return response

    def _choose(self) -> str:
        asked = request.args.to_dict()
        return render_template("identity.html", people=list(self._desk.people.values()), asked=asked)

    def token(self) -> AnyResponse:
        response: AnyResponse = self._server.create_token_response()
        return response

    def userinfo(self) -> Response | tuple[Response, int]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, self._desk.key, algorithms=["RS256"]).claims
            JWTClaimsRegistry(aud={"essential": True, "value": self._desk.issuer}).validate(claims)
        except (JoseError, ValueError):
            claims = {}
        person = self._desk.people.get(str(claims.get("sub", "")))
        if scheme.lower() != "bearer" or person is None:
            return jsonify(error="invalid_token"), 401
        return jsonify(sub=person.subject, name=person.name, email=person.email)

    def end_session(self) -> AnyResponse | str:
        """RP-initiated logout: back to an address the client has registered, else a plain page."""
        client = self._desk.clients.get(request.values.get("client_id", ""))
        address = request.values.get("post_logout_redirect_uri", "")
        if client is None or not client.check_post_logout(address):
            return "You are signed out."
        return redirect(address, 303)

    def healthz(self) -> str:
        return "ok"
