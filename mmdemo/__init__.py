"""Entities and relations from a post and its photo: ``from mmdemo import extract``."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmdemo.answer.extraction.in_python import extract as extract


def __getattr__(name: str) -> Any:
    """`extract`, when it is asked for: no import of a part of the program must wait for models."""
    if name == "extract":
        from mmdemo.answer.extraction.in_python import extract

        return extract
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
