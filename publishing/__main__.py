"""Command line of publishing: makes the notebooks that are stale.

- ``python -m publishing`` makes every notebook that is stale;
- ``python -m publishing chapters/optimizers/adam.md`` this one, if it is;
- ``python -m publishing --check`` names what is stale and makes nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from publishing.chapters import Chapter, NotMade, chapters, make, orphans, require_own_lrlib
from publishing.notebook import read_repository
from publishing.picture import draw
from publishing.stale import fingerprint, reason

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line on the repository at `root` and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m publishing", description="Make the notebooks that are stale.")
    parser.add_argument("paths", nargs="*", help="chapters or their notebooks (default: all)")
    parser.add_argument("--force", action="store_true", help="make them even if they are not stale")
    parser.add_argument("--check", action="store_true", help="only name what is stale; exit 1 if anything is")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="notebooks at once (default: processors)")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    try:
        wanted = _select(chapters(root), options.paths)
    except ValueError as error:
        parser.error(str(error))

    reasons = {chapter: reason(chapter.notebook, fingerprint(root, chapter.text)) for chapter in wanted}
    unwanted = [] if options.paths else orphans(root)
    for path in unwanted:
        print(f"{path.relative_to(root)}: no chapter makes it", file=sys.stderr)
    if options.check:
        for chapter, why in reasons.items():
            if why:
                print(f"{chapter.notebook.relative_to(root)}: {why}", file=sys.stderr)
        return 1 if unwanted or any(reasons.values()) else 0

    stale = [chapter for chapter, why in reasons.items() if why or options.force]
    if stale:
        try:
            require_own_lrlib(root)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
    failures = _make_all(root, stale, options.jobs)
    for message in failures:
        print(f"\n{message}", file=sys.stderr)
    draw(root)
    print(f"{len(stale) - len(failures)} made, {len(failures)} failed, {len(wanted) - len(stale)} up to date")
    return 1 if failures or unwanted else 0


def _select(known: list[Chapter], paths: list[str]) -> list[Chapter]:
    if not paths:
        return known
    by_path = {path.resolve(): chapter for chapter in known for path in (chapter.text, chapter.notebook)}
    for path in paths:
        if Path(path).resolve() not in by_path:
            raise ValueError(f"no chapter or notebook of one: {path}")
    return list(dict.fromkeys(by_path[Path(path).resolve()] for path in paths))


def _make_all(root: Path, stale: list[Chapter], jobs: int) -> list[str]:
    repository = read_repository(root / "_config.yml")
    failures = []
    # Threads suffice: the work is done in the kernels, which are processes.
    with (
        ThreadPoolExecutor(jobs) as pool,
        tqdm(total=len(stale), unit="notebook", desc="notebooks", disable=not stale) as progress,
    ):
        running = {pool.submit(make, chapter, repository): chapter for chapter in stale}
        for done in as_completed(running):
            try:
                done.result()
            except NotMade as error:
                failures.append(str(error))
            progress.set_postfix_str(running[done].name)
            progress.update()
    return failures


if __name__ == "__main__":
    sys.exit(main())
