"""Headers on every answer: what a page may load, who may frame it, and that nobody keeps a copy."""

from urllib.parse import urlsplit

from flask import Flask, Response

from web.settings import WebSettings

YEAR = 365 * 24 * 3600


def policy(settings: WebSettings) -> str:
    """The content security policy. `form-action` names the provider: signing out is a form that ends there."""
    issuer = urlsplit(settings.issuer)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "manifest-src 'self'",
            f"form-action 'self' {issuer.scheme}://{issuer.netloc}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def set_headers(app: Flask, settings: WebSettings) -> None:
    """Puts them on every answer of the application; a view may set its own `Cache-Control`."""
    fixed = {
        "Content-Security-Policy": policy(settings),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    if settings.secure:
        fixed["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"

    def add(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.update(fixed)
        return response

    app.after_request(add)
