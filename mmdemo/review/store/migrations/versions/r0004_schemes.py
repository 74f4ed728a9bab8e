"""A queue carries its whole label scheme, so that any labels can be reviewed anywhere.

Queues of before named a dataset of three, whose posts could also have the relations that it borrows.
"""

import json

import sqlalchemy as sa
from alembic import op

from mmdemo.datasets.discovery import find_dataset, reviewed_as
from mmdemo.datasets.records import record_of

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("queues", sa.Column("record", sa.Text, nullable=False, server_default=""))
    queues = sa.table("queues", sa.column("dataset", sa.String), sa.column("record", sa.Text))
    connection = op.get_bind()
    for (name,) in connection.execute(sa.select(queues.c.dataset).distinct()).all():
        record = json.dumps(record_of(reviewed_as(find_dataset(name))))
        connection.execute(queues.update().where(queues.c.dataset == name).values(record=record))


def downgrade() -> None:
    op.drop_column("queues", "record")
