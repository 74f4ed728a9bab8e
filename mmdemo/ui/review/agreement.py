"""How far reviewers agree, as a table. Pure: figures in, HTML out."""

from mmdemo.review.agreement import Agreement, Scores
from mmdemo.review.names import count_posts
from mmdemo.ui.shell.safe import safe
from mmdemo.ui.shell.view import readable


def agreement_html(found: Agreement) -> str:
    """One pair of reviewers: F1 of exact and overlapping spans, Cohen's kappa, for each label."""
    rows = {
        "All entities": found.entities,
        **found.by_entity,
        "All relations": found.relations,
        **{readable(name): scores for name, scores in found.by_relation.items()},
    }
    body = "".join(_row(name, scores) for name, scores in rows.items() if scores.first or scores.second)
    one, two = (safe(name) for name in found.reviewers)
    return (
        f'<table class="rv-agreement"><caption>{one} and {two}, {count_posts(found.posts)}</caption>'
        '<thead><tr><td></td><th scope="col">F1, same words</th><th scope="col">F1, shared words</th>'
        '<th scope="col">Cohen’s kappa</th><th scope="col">marked by each</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _row(name: str, scores: Scores) -> str:
    figures = ["–" if v is None else f"{v:.2f}" for v in (scores.exact, scores.overlap, scores.kappa)]
    cells = "".join(f"<td>{text}</td>" for text in (*figures, f"{scores.first} / {scores.second}"))
    return f'<tr><th scope="row">{safe(name)}</th>{cells}</tr>'
