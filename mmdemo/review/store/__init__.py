"""The store of reviews: ``from mmdemo.review.store import open_store``, as scripts of 0.2.0 do."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmdemo.review.store.reviews import open_store as open_store


def __getattr__(name: str) -> Any:
    """`open_store`, when it is asked for: the store's own modules do not import each other by this one."""
    if name == "open_store":
        from mmdemo.review.store.reviews import open_store

        return open_store
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
