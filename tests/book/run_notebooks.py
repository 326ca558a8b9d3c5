"""Executes every notebook as a reader would and compares with what is committed: `python tests/book/run_notebooks.py`.

Each notebook of the book, and the worked solutions of each set of exercises, is copied into a folder of its
own and run there by nbval, strictly, with nothing of this repository in sight but the lrlib package installed by

    pip install --no-deps --target _build/package .
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from publishing.execute import CELL_TIMEOUT, ONE_THREAD  # noqa: E402
from publishing.notebook import read, write  # noqa: E402
from publishing.stale import library  # noqa: E402


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run the notebooks of the repository at `root` and return pytest's exit status."""
    parser = argparse.ArgumentParser(description="Execute every notebook from an empty folder and compare.")
    parser.add_argument("names", nargs="*", help="part/topic, or index (default: every notebook)")
    parser.add_argument("--package", type=Path, default=root / "_build" / "package", help="where lrlib is installed")
    parser.add_argument("--jobs", default="2", help="notebooks at once (default: 2)")
    options = parser.parse_args(arguments)
    package = options.package.resolve()
    _require_today_s(package / "lrlib", root)
    folder = root / "_build" / "notebooks"
    shutil.rmtree(folder, ignore_errors=True)
    stage(root, folder, options.names)
    (folder / "pytest.ini").write_text("[pytest]\n")  # else the repository's own settings and conftest apply
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
    command += ["-c", folder / "pytest.ini", "--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_TIMEOUT}"]
    # A notebook's cells share a kernel, so a file must stay with one worker.
    command += ["-n", options.jobs, "--dist", "loadfile"]
    alone = {"PYTHONPATH": str(package), "IPYTHONDIR": str(folder / ".ipython")}
    return subprocess.run(command, cwd=folder, env=os.environ | ONE_THREAD | alone, check=False).returncode


def stage(root: Path, folder: Path, names: list[str]) -> None:
    """Put every notebook, or those named, into a folder of its own under `folder`.

    Raises
    ------
    ValueError
        If a name is unknown or there is no notebook at all.
    """
    known: dict[str, list[Path]] = {}
    chapters = [*root.glob("book/*.ipynb"), *root.glob("book/[!.]*/*.ipynb")]
    for path in [*chapters, *root.glob("exercises/solutions/[!.]*/*.ipynb")]:
        name = path.stem if path.parent.name == "book" else f"{path.parent.name}/{path.stem}"
        known.setdefault(name, []).append(path)
    for name in names:
        if name not in known:
            raise ValueError(f"no notebook {name}; there are {', '.join(sorted(known))}")
    if not known:
        raise ValueError(f"no notebooks under {root}")
    for name in names or known:
        for path in known[name]:
            kind = path.relative_to(root).parts[0]
            write(read(path), folder / kind / name / f"{path.stem}.ipynb")


def _require_today_s(package: Path, root: Path) -> None:
    if library(package, package / "results") != library(root / "lrlib", root / "experiments" / "results"):
        raise RuntimeError(
            f"{package} is not this repository's lrlib: install it again, and see that pyproject.toml names all of it"
        )


if __name__ == "__main__":
    sys.exit(main())
