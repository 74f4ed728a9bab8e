"""Security headers: what a page of ours may load, run and send, for browsers to hold it to."""

import base64
import hashlib
import re
from collections.abc import Iterable

_SCRIPT = re.compile(rb"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)

FIXED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin-allow-popups",
    "cross-origin-resource-policy": "same-origin",  # holds too where a browser sends no Sec-Fetch-Site
}


def script_hashes(html: bytes) -> tuple[str, ...]:
    """What a policy calls the inline scripts of a page: ``'sha256-…'`` of each, in order, without doubles."""
    bodies = (body for attributes, body in _SCRIPT.findall(html) if b"src=" not in attributes)
    digests = (base64.b64encode(hashlib.sha256(body).digest()).decode("ascii") for body in bodies)
    return tuple(dict.fromkeys(f"'sha256-{digest}'" for digest in digests))


def content_security_policy(scripts: Iterable[str], *, on_space: bool) -> str:
    """The policy of a page whose own inline scripts have these hashes.

    No other inline script and no handler in an attribute runs, whatever text got into the page; nothing is
    loaded from or sent elsewhere. Gradio compiles templates and handlers, so it needs eval, and Svelte sets
    styles in attributes. On a Space the page stands in a frame of the Hub.
    """
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", "'unsafe-eval'", *scripts)),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",  # pasted photos are fetched from a blob
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self' https://huggingface.co https://*.hf.space" if on_space else "'self'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())
