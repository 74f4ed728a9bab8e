"""A post keeps the words of its photo, and a log of who changed them, which only grows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("posts", sa.Column("photo_words", sa.Text))
    op.add_column("posts", sa.Column("photo_version", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "photo_changes",
        sa.Column("id", _Number, primary_key=True),
        sa.Column("post_id", _Number, sa.ForeignKey("posts.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("target", _Number, sa.ForeignKey("photo_changes.id"), index=True),
    )
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER photo_changes_no_{verb.lower()} BEFORE {verb} ON photo_changes "
                "BEGIN SELECT RAISE(ABORT, 'changes only grow'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER photo_changes_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON photo_changes "
            "FOR EACH STATEMENT EXECUTE FUNCTION mmdemo_events_only_grow()"
        )


def downgrade() -> None:
    op.drop_table("photo_changes")
    op.drop_column("posts", "photo_version")
    op.drop_column("posts", "photo_words")
