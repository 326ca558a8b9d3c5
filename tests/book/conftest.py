"""A repository in miniature: one chapter and an lrlib of a few lines, for the tests of publishing."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

# Neither publishing nor the modules beside these tests are installed.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from publishing.__main__ import main  # noqa: E402
from publishing.chapters import Chapter  # noqa: E402

LIBRARY = '''
"""A stand-in for lrlib."""

import base64

import anywidget
import traitlets

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


class Figure:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/png": PNG, "text/plain": "A line that\\nrises from 0 to 1."}


class Live(anywidget.AnyWidget):
    _esm = "export default {}"
    data = traitlets.Bytes(b"1234").tag(sync=True)

    def __repr__(self):
        return "A slider that moves a line."
'''

CHAPTER = """\
# A chapter

Some text.

```{code-cell} ipython3
import lrlib

print("two", 1 + 1)
```

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: One message.
---
lrlib.Figure()
```

## A section

```{code-cell} ipython3
unseen, seen = lrlib.Live(), lrlib.Live()
seen
```
"""


@dataclass(frozen=True)
class Miniature:
    """A small repository with the chapter ``part/topic``."""

    root: Path

    @property
    def chapter(self) -> Chapter:
        return Chapter(self.root, "part/topic")

    def publish(self, *arguments: str) -> int:
        """Run ``python -m publishing`` here and return its exit status."""
        return main(list(arguments), root=self.root)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def _build(root: Path) -> Miniature:
    repository = Miniature(root)
    repository.write("_config.yml", "repository: {url: https://example.org/course, branch: main}\n")
    repository.write("lrlib/__init__.py", LIBRARY)
    repository.write("chapters/part/topic.md", CHAPTER)
    return repository


@pytest.fixture
def miniature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Miniature:
    """Return a repository in miniature, nothing made yet, whose lrlib is the one that kernels see."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return _build(tmp_path)


@pytest.fixture(scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(root))
        assert _build(root).publish() == 0
    return root


@pytest.fixture
def made(miniature: Miniature, _made_once: Path) -> Miniature:
    """Return a repository in miniature whose notebook has been made."""
    shutil.copytree(_made_once, miniature.root, dirs_exist_ok=True)
    return miniature
