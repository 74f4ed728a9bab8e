"""Checked posts on the disk between a look at a file and its import: a long file is read and checked once."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mmdemo.review.answers import answer_row, stored_answer
from mmdemo.review.store.arriving.inserting import Row, dumped_words
from mmdemo.review.store.rows import dump, stored_asked, stored_post


class Spool:
    """Rows in their order, as JSON lines in a file that has no name."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile("w+", dir=folder, encoding="ascii")

    def add(self, row: Row) -> None:
        """Keep a row behind the others. Raises OSError: the disk is full."""
        post, answer = row.post, None if row.answer is None else answer_row(row.answer)
        image = None if post.image is None else str(post.image)
        reviews = [(who, answer_row(one)) for who, one in row.reviews]
        self._file.write(dump([post.id, row.body, image, dumped_words(post), answer, reviews]) + "\n")

    def flush(self) -> None:
        """Have all of it on the disk. Raises OSError as `add`."""
        self._file.flush()

    def rows(self) -> Iterator[Row]:
        """All that were added."""
        self._file.seek(0)
        for line in self._file:
            ref, said, image, words, answer, reviews = json.loads(line)
            body = json.loads(said)
            post = stored_post(ref, body, Path(image) if image else None, words)
            yield Row(
                post=post,
                body=said,
                answer=None if answer is None else stored_answer(answer, post.tokens),
                asked=stored_asked(body),
                reviews=tuple((who, stored_answer(one, post.tokens)) for who, one in reviews),
            )

    def close(self) -> None:
        self._file.close()
