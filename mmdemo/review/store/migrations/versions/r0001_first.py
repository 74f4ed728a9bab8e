"""The first tables, and triggers that keep the log of events from being changed.

Written out rather than taken from ``store_tables``: that file moves on, a migration must not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "queues",
        sa.Column("id", _Number, primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("dataset", sa.String(40), nullable=False),
        sa.Column("double", sa.Boolean, nullable=False),
    )
    op.create_table(
        "posts",
        sa.Column("id", _Number, primary_key=True),
        sa.Column("queue_id", _Number, sa.ForeignKey("queues.id"), nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("shuffle", _Number, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("photo", sa.Text),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("suggestion", sa.Text),
        sa.Column("checkpoint", sa.Text),
        sa.Column("score", sa.Float),
        sa.Column("entropy", sa.Float),
        sa.Column("disagreement", sa.Float),
        sa.Column("flip", sa.Float),
        sa.Column("seats", sa.Text, nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("reviewers", sa.Text, nullable=False),
        sa.UniqueConstraint("queue_id", "ref"),
        sa.Index("posts_status", "queue_id", "status"),
    )
    op.create_table(
        "suggestions",
        sa.Column("id", _Number, primary_key=True),
        sa.Column("post_id", _Number, sa.ForeignKey("posts.id"), nullable=False, index=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", _Number, primary_key=True),
        sa.Column("queue_id", _Number, sa.ForeignKey("queues.id"), nullable=False),
        sa.Column("post_id", _Number, sa.ForeignKey("posts.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("seat", sa.Text, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("score", sa.Float),
        sa.Column("checkpoint", sa.Text),
        sa.Column("seconds", sa.Float),
        sa.Column("batch", sa.String(32), nullable=False, index=True),
        sa.Column("target", _Number, sa.ForeignKey("events.id"), index=True),
        sa.Column("parent", _Number, sa.ForeignKey("events.id")),
        sa.Index("events_reviewer", "queue_id", "reviewer", "id"),
    )
    for table, last in (
        ("leases", sa.Column("expires", sa.Float, nullable=False)),
        ("drafts", sa.Column("body", sa.Text, nullable=False)),
    ):
        op.create_table(
            table,
            sa.Column("post_id", _Number, sa.ForeignKey("posts.id"), primary_key=True),
            sa.Column("reviewer", sa.Text, primary_key=True),
            last,
        )
    _append_only(op.get_bind().dialect.name)


def _append_only(dialect: str) -> None:
    if dialect == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events only grow'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION mmdemo_events_only_grow() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'events only grow'; END $$"
        )
        op.execute(
            "CREATE TRIGGER events_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
            "FOR EACH STATEMENT EXECUTE FUNCTION mmdemo_events_only_grow()"
        )


def downgrade() -> None:
    for table in ("drafts", "leases", "events", "suggestions", "posts", "queues"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION mmdemo_events_only_grow")
