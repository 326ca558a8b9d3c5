"""The bundle for Gradescope, unpacked into a folder as its container would have it."""

import json
import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import small
from classroom import ROOT

from grader import gradescope, sandbox
from grader import secret as secrets
from grader.masters import load

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="in Gradescope's container everything runs as root")


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "key"
    # Always the same: another one may draw an input such as 1.0, which stands in the results for other reasons.
    path.write_text("5a" * 32 + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def master(tmp_path_factory):
    return small.write_master(tmp_path_factory.mktemp("masters"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory, master, secret):
    path = tmp_path_factory.mktemp("bundle") / "autograder.zip"
    gradescope.bundle(master, path, secret=secret)
    return path


@pytest.fixture(scope="module")
def environment(tmp_path_factory, python_for_all):
    """What setup.sh makes: a Python that every user can run, with the packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    packages = os.pathsep.join(map(str, (*python_for_all.packages, *map(Path, site.getsitepackages()))))
    (folder / "bin").mkdir()
    wrapper = folder / "bin" / "python"
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec {python_for_all.program} "$@"\n')
    wrapper.chmod(0o755)
    return folder


@pytest.fixture
def container(archive, tmp_path):
    """The folder that Gradescope calls /autograder, as a root-only place of its own."""
    folder = tmp_path / "autograder"
    (folder / "submission").mkdir(parents=True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder / "source")  # which loses the modes of the files
    (folder / "source" / "secret").chmod(0o600)
    users = {"users": [{"email": "b@example.org", "id": 2}, {"email": "a@example.org", "id": 1}]}
    (folder / "submission_metadata.json").write_text(json.dumps(users))
    return folder


def shell(container, script, environment):
    variables = {"PATH": os.environ["PATH"], "GRADER_ENVIRONMENT": str(environment), "AUTOGRADER": str(container)}
    path = container / "source" / script
    return subprocess.run(["bash", path], env=variables, cwd="/", capture_output=True, text=True, timeout=300)


def hand_in(container, text, name="work.ipynb"):
    (container / "submission" / name).write_text(text)


def results(container):
    return json.loads((container / "results" / "results.json").read_text("utf-8"))


def test_bundle_is_complete_and_the_same_each_time(archive, master, secret, tmp_path):
    gradescope.bundle(master, tmp_path / "again.zip", secret=secret)
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        names = set(opened.namelist())
        assert {"setup.sh", "run_autograder", "requirements.txt", "secret", "masters/part/topic.md"} <= names
        assert {"grader/worker.py", "lrlib/__init__.py", "publishing/__init__.py"} <= names
        assert opened.getinfo("run_autograder").external_attr >> 16 == 0o755
        assert opened.getinfo("secret").external_attr >> 16 == 0o600
    assert archive.stat().st_mode & 0o777 == 0o600


def test_bundle_without_a_secret_is_refused_when_the_container_is_built(container, environment):
    (container / "source" / "secret").unlink()
    built = shell(container, "setup.sh", environment)
    assert built.returncode == 1
    assert "no file secret in the archive" in built.stderr


def test_secret_goes_into_the_bundle_only_if_asked_for(master, tmp_path):
    gradescope.bundle(master, tmp_path / "bundle.zip")
    with zipfile.ZipFile(tmp_path / "bundle.zip") as opened:
        assert "secret" not in opened.namelist()


def test_what_is_not_installed_there_is_not_imported():
    code = "import sys, grader.gradescope, grader.run; print({name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"ipykernel", "nbclient", "click", "torch"} & eval(done.stdout)


def test_setup_installs_what_the_master_imports(master, tmp_path):
    gradescope.bundle(master, tmp_path / "numpy.zip")
    gradescope.bundle(ROOT / "exercises" / "schedules" / "exponential.md", tmp_path / "torch.zip")
    scripts = [zipfile.ZipFile(tmp_path / name).read("setup.sh").decode() for name in ("numpy.zip", "torch.zip")]
    assert "torch" not in scripts[0]
    assert " torch -c requirements.txt" in scripts[1] and "whl/cpu" in scripts[1]
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "requirements.txt").read_text().splitlines()}
    assert {*gradescope.PACKAGES, *gradescope.OPTIONAL.values()} <= pinned


def test_setup_closes_what_submissions_must_not_read(container, environment):
    built = shell(container, "setup.sh", environment)
    assert built.returncode == 0, built.stderr
    assert (container / "source").stat().st_mode & 0o777 == 0o700
    assert (container / "source" / "secret").stat().st_mode & 0o777 == 0o600


@needs_root
def test_submission_is_graded_and_nothing_hidden_is_shown(container, environment, secret, master):
    hand_in(container, small.notebook(double="def double(x):\n    raise ValueError(f'for {x} no')"))
    shell(container, "setup.sh", environment)
    ran = shell(container, "run_autograder", environment)
    assert ran.returncode == 0, ran.stderr
    found = results(container)
    tests = {test["name"]: test for test in found["tests"]}
    assert (tests["topic.double"]["score"], tests["topic.double"]["max_score"]) == (0, 2)
    assert (tests["topic.guess"]["score"], tests["topic.guess"]["max_score"]) == (1, 1)
    assert found["score"] == 1
    assert "topic.why is marked by hand." in found["output"]
    assert found["stdout_visibility"] == "hidden"
    exercises = load(master).exercises
    (question,) = (one for one in exercises.questions if one.id == "topic.double")
    about = (exercises.name, exercises.version, "a@example.org+b@example.org", question.id)
    for case in question.draw(secrets.seed(secrets.read(secret), *about)):
        assert str(case.inputs["x"]) not in json.dumps(found)


@needs_root
def test_known_mistake_gets_its_hint(container, environment):
    hand_in(container, small.notebook(double=small.TRIPLED))
    shell(container, "setup.sh", environment)
    assert shell(container, "run_autograder", environment).returncode == 0
    assert "Hint: Three times is too much." in results(container)["tests"][0]["output"]


@needs_root
def test_submission_reads_neither_secret_nor_master_nor_metadata(container, environment):
    paths = ["source/secret", "source/masters", "source", "results", "submission", "submission_metadata.json"]
    look = f"""
import os
from pathlib import Path
seen = []
for path in {[str(container / path) for path in paths]}:
    try:
        seen.append((path, os.listdir(path) if os.path.isdir(path) else Path(path).read_text()))
    except OSError:
        pass
raise RuntimeError("SEEN " + repr(seen))
"""
    for folder in (container, *container.parents):
        # Gradescope's /autograder is open to everybody; so is this one, whatever the folder of the tests is.
        if folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o755)
    hand_in(container, small.notebook(double=look))
    shell(container, "setup.sh", environment)
    ran = shell(container, "run_autograder", environment)
    assert ran.returncode == 0, ran.stderr
    assert "SEEN []" in results(container)["output"]
    # Nor could it where the kernel has no Landlock.
    for path in paths:
        read = ["ls" if (container / path).is_dir() else "cat", container / path]
        other = subprocess.run(read, user=65534, group=65534, extra_groups=[], capture_output=True)
        assert other.returncode != 0, path


@needs_root
def test_same_submission_gives_the_same_bytes(container, environment):
    hand_in(container, small.notebook())
    shell(container, "setup.sh", environment)
    found = set()
    for _ in range(2):
        assert shell(container, "run_autograder", environment).returncode == 0
        found.add((container / "results" / "results.json").read_bytes())
    assert len(found) == 1


def test_student_is_told_when_there_is_no_notebook_or_several(container):
    (container / "results").mkdir()
    gradescope.run(container)
    assert results(container)["score"] == 0 and "There is no notebook" in results(container)["output"]
    hand_in(container, small.notebook(), name="one.ipynb")
    hand_in(container, small.notebook(), name="two.ipynb")
    gradescope.run(container)
    assert "(one.ipynb, two.ipynb)? Hand in one." in results(container)["output"]


def test_of_several_notebooks_the_one_of_the_set_is_graded(container):
    hand_in(container, small.notebook(), name="mine.ipynb")
    hand_in(container, small.notebook(topic="other"), name="other.ipynb")
    assert [path.name for path in gradescope._notebooks(container / "submission", "part/topic")] == ["mine.ipynb"]


def test_links_are_no_notebooks(container):
    (container / "results").mkdir()
    (container / "submission" / "work.ipynb").symlink_to(container / "source" / "secret")
    gradescope.run(container)
    assert "There is no notebook" in results(container)["output"]


def test_what_is_our_fault_gives_no_result(container, monkeypatch):
    def broken(*arguments, **options):
        raise sandbox.SandboxError("no sandbox here")

    monkeypatch.setattr(gradescope, "grade", broken)
    (container / "results").mkdir()
    hand_in(container, small.notebook())
    with pytest.raises(sandbox.SandboxError):
        gradescope.run(container)
    assert list((container / "results").iterdir()) == []


def test_a_group_has_the_same_inputs_whoever_hands_in(container):
    assert gradescope._student(container / "submission_metadata.json") == "a@example.org+b@example.org"


def test_missing_metadata_is_our_fault(container):
    (container / "submission_metadata.json").unlink()
    with pytest.raises(gradescope.GradescopeError, match="does not say who hands in"):
        gradescope.run(container)
