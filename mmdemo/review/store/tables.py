"""The tables. ``events`` is the truth and only grows (triggers hold that); ``posts`` caches what follows.
``photo_changes`` only grows too: who changed the words of a photo.

Bodies are JSON text rather than the databases' JSON types: both databases then store the same bytes, and
escapes keep a NUL of a tweet out of PostgreSQL's text.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from mmdemo.review.records import UNDECIDED

metadata = MetaData()

#: SQLite numbers rows by itself only where the type is spelt INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")

queues = Table(
    "queues",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("name", String(80), nullable=False, unique=True),
    Column("dataset", String(40), nullable=False),
    Column("record", Text, nullable=False),  # the label scheme: a dataset's record as JSON
    Column("double", Boolean, nullable=False),
)

posts = Table(
    "posts",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("queue_id", ForeignKey("queues.id"), nullable=False),
    Column("ref", Text, nullable=False),  # the post's id in its files
    Column("shuffle", _Number, nullable=False),  # a hash of ref, for the random order
    Column("body", Text, nullable=False),  # text, tokens, image_id, pair, tags
    Column("photo", Text),  # name in the folder of photos
    Column("search", Text, nullable=False),
    # The latest suggestion, and what orders and filters need of it.
    Column("suggestion", Text),
    Column("checkpoint", Text),
    Column("score", Float),
    Column("entropy", Float),
    Column("disagreement", Float),
    Column("flip", Float),
    # Derived from the events (`mmdemo.review.store.post_state`), in the transaction that adds one.
    Column("seats", Text, nullable=False),
    Column("status", String(12), nullable=False),
    Column("labels", Text, nullable=False),
    Column("reviewers", Text, nullable=False),
    # The words of the photo, as JSON, and how often reviewers have changed them (`photo_changes`).
    Column("photo_words", Text),
    Column("photo_version", Integer, nullable=False, server_default="0"),
    UniqueConstraint("queue_id", "ref"),
    Index("posts_status", "queue_id", "status"),
)

#: Spelt out, without parameters: only so does SQLite see that an index of these posts alone can be used.
undecided = posts.c.status.in_([literal_column(f"'{status}'") for status in UNDECIDED])
for _order in ("entropy", "disagreement", "flip"):
    Index(
        f"posts_{_order}",
        posts.c.queue_id,
        posts.c[_order],
        sqlite_where=undecided,
        postgresql_where=undecided,
    )

suggestions = Table(
    "suggestions",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("post_id", ForeignKey("posts.id"), nullable=False, index=True),
    Column("at", Text, nullable=False),
    Column("body", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("queue_id", ForeignKey("queues.id"), nullable=False),
    Column("post_id", ForeignKey("posts.id"), nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("seat", Text, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("score", Float),
    Column("checkpoint", Text),
    Column("seconds", Float),
    Column("batch", String(32), nullable=False, index=True),
    Column("target", ForeignKey("events.id"), index=True),
    Column("parent", ForeignKey("events.id")),
    Index("events_reviewer", "queue_id", "reviewer", "id"),
)

photo_changes = Table(
    "photo_changes",
    metadata,
    Column("id", _Number, primary_key=True),
    Column("post_id", ForeignKey("posts.id"), nullable=False, index=True),
    Column("kind", String(12), nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("target", ForeignKey("photo_changes.id"), index=True),
)

leases = Table(
    "leases",
    metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("reviewer", Text, primary_key=True),
    Column("expires", Float, nullable=False),
)
