"""Who asks: a reviewer with a name, on a Space the account that has signed in, or a guest."""

import os
from collections.abc import Callable

import gradio as gr

from mmdemo.review.names import check_name
from mmdemo.types import InputError

GUEST = "guest"  # who looks on without a name


def on_space() -> bool:
    """Whether this runs as a Hugging Face Space, where names come from signing in."""
    return bool(os.environ.get("SPACE_ID"))


def reviewer_of(name: object, profile: gr.OAuthProfile | None) -> str:
    """Who writes. Raises InputError for a name that cannot be one, or a stranger on a Space."""
    if not on_space():
        return check_name(name, "reviewer")
    if profile is None:
        raise InputError("sign in with Hugging Face above; then you can review")
    return check_name(profile.username, "reviewer")


def guest_of(name: object, profile: gr.OAuthProfile | None) -> str:
    """Who asks for what all may know: a reviewer, or a guest."""
    try:
        return reviewer_of(name, profile)
    except InputError:
        return GUEST


def reader_of(name: object, profile: gr.OAuthProfile | None) -> str:
    """Who looks at posts. Raises InputError on a Space without a login: tweets and names are not for all."""
    return reviewer_of(name, profile) if on_space() else guest_of(name, profile)


#: Whom a call answers.
WHO: dict[str, Callable[[object, gr.OAuthProfile | None], str]] = {
    "reviewer": reviewer_of,
    "reader": reader_of,
    "anyone": guest_of,
}
