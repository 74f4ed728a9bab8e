"""No table of drafts: browsers keep them, and no page ever wrote here."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_table("drafts")


def downgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "drafts",
        sa.Column("post_id", number, sa.ForeignKey("posts.id"), primary_key=True),
        sa.Column("reviewer", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
