"""What ``python -m train prepare`` prints: the findings of `train.data.prepare`, for a person or as JSON."""

from dataclasses import asdict
from pathlib import Path

from mmdemo.terminal import say, say_json
from train.data.photo_reading import Named
from train.data.prepare import MATTERS, Finding, Report, check


def run(
    data: Path,
    images: Path | None = None,
    pairs: Path | None = None,
    as_json: bool = False,
    photo_sources: Named | None = None,
) -> int:
    """Check, print the report to stdout, and return 0 when all can be trained, 2 when something is missing.

    Raises:
        InputError: ``images`` or ``pairs`` itself is unusable, or both are given.
    """
    report = check(data, images, pairs, photo_sources)
    say_json(as_record(report)) if as_json else say(*render(report).split("\n"))
    return 0 if report.ready else 2


def as_record(report: Report) -> dict[str, object]:
    """The report as JSON values, with ``ready`` and, by name, for whom each finding matters."""
    return {**asdict(report), "ready": report.ready, "matters": MATTERS}


def render(report: Report) -> str:
    """The report as lines for a person."""
    lines = [f"data folder: {report.data}", f"photos: {report.photo_source}"]
    for dataset in report.datasets:
        lines += ["", dataset.title]
        lines += [f"  MISSING OR UNREADABLE: {problem}" for problem in dataset.problems]
        for split in dataset.splits:
            lines.append(
                f"  {split.split}: {split.posts} posts, {split.labels} {dataset.counted}, "
                f"{split.photos} with a photo"
            )
            if split.described:
                named = ", ".join(f"{name} {count:,}" for name, count in split.described.items())
                lines.append(f"    posts with words of their photo: {named}")
            if split.readings:
                named = ", ".join(f"{name} {count:,}" for name, count in split.readings.items())
                lines.append(f"    photos read for their words: {named}")
            lines += [f"    {_line(finding)}" for finding in split.findings]
        lines += [f"  {_line(finding)}" for finding in dataset.findings]
    found = {
        f.what for d in report.datasets for f in (*d.findings, *(f for s in d.splits for f in s.findings))
    }
    if found:
        lines += ["", "What it means:"]
        lines += [f"  {what}: {matters}." for what, matters in MATTERS.items() if what in found]
    lines += [
        "",
        "Ready to train on all datasets." if report.ready else "Something needed is missing, see above.",
    ]
    return "\n".join(lines)


def _line(finding: Finding) -> str:
    more = ", …" if finding.count > len(finding.first) else ""
    return f"{finding.what}: {finding.count} ({', '.join(finding.first)}{more})"
