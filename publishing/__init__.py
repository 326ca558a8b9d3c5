"""Makes executed notebooks from the text of the chapters: ``python -m publishing``.

``chapters/<part>/<topic>.md`` is read as a notebook, given ids and a Colab cell, executed in an empty
folder, and written to ``book/<part>/<topic>.ipynb``; ``chapters/index.md`` makes the front page. What is
made from the same text with the same sources is the same bytes.
"""

from publishing.notebook import Repository, prepare, read, read_repository, write

__all__ = ["Repository", "prepare", "read", "read_repository", "write"]
