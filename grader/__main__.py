"""Command line of the grader: ``python -m grader make`` and ``python -m grader check-master``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from grader.make import Folders, make, masters_in
from grader.masters import MasterError, load
from grader.prove import faults


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    making = commands.add_parser("make", help="write student notebooks and public cases, where they are stale")
    making.add_argument("--check", action="store_true", help="write nothing; exit code 1 if something is stale")
    making.add_argument("--force", action="store_true", help="run every master, also where nothing has changed")
    here = Folders()
    making.add_argument("--masters", type=Path, default=here.masters, help="folder of masters, <part>/<topic>.md")
    making.add_argument("--students", type=Path, default=here.students, help="folder of the student notebooks")
    making.add_argument("--cases", type=Path, default=here.cases, help="folder of the public cases")

    proving = commands.add_parser("check-master", help="prove that masters can be used")
    proving.add_argument("masters", nargs="*", type=Path, help="masters to prove; all of the course by default")
    proving.add_argument("--seeds", type=int, default=20, help="how many hidden draws to try (default: 20)")

    options = parser.parse_args(arguments)
    try:
        if options.command == "make":
            return _make(options)
        return _check_masters(options.masters or masters_in(here), options.seeds)
    except MasterError as error:
        print(error, file=sys.stderr)
        return 1


def _make(options: argparse.Namespace) -> int:
    folders = Folders(options.masters.resolve(), options.students.resolve(), options.cases.resolve())
    changes = make(folders, check=options.check, force=options.force)
    for change in changes:
        print(change if options.check else change.replace("is not what its master makes", "written"))
    if not changes:
        print("exercises: up to date")
    return int(options.check and bool(changes))


def _check_masters(paths: list[Path], seeds: int) -> int:
    failed = False
    for path in paths:
        master = load(path)
        found = faults(master, seeds)
        for fault in found:
            print(f"{path}: {fault}")
        if not found:
            print(f"{path}: {len(master.exercises.questions)} questions, all proved")
        failed = failed or bool(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
