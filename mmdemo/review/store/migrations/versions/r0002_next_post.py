"""Indexes of the undecided posts by what orders them: `next` then reads some rows, not the whole queue."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ORDERS = ("entropy", "disagreement", "flip")


def upgrade() -> None:
    for order in _ORDERS:
        undecided = sa.text("status IN ('open', 'second')")
        op.create_index(
            f"posts_{order}",
            "posts",
            ["queue_id", order],
            sqlite_where=undecided,
            postgresql_where=undecided,
        )


def downgrade() -> None:
    for order in _ORDERS:
        op.drop_index(f"posts_{order}", "posts")
