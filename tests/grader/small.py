"""A small course: one master that needs NumPy only, and submissions of every kind."""

import json
import os
import random
from pathlib import Path

MASTER = '''\
# A set

```{code-cell} ipython3
import numpy as np

from lrlib.exercises import check
```

```{code-cell} ipython3
:tags: [spec]

from pathlib import Path

from grader import ExerciseSet, Mutant, Tolerance

exercises = ExerciseSet("part/topic", version=1, withheld=("Adam",), time_limit_s=8)
```

```{code-cell} ipython3
def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2.0 * x + 0.0
    ### END SOLUTION
```

<!-- BEGIN SOLUTION -->
Twice is x + x: a secret reason.
<!-- END SOLUTION -->

Now a guess.

```{code-cell} ipython3
guess = ...
### BEGIN SOLUTION
guess = 123.25
### END SOLUTION
```

```{code-cell} ipython3
check("topic.double", double)
```

```{code-cell} ipython3
check("topic.guess", guess)
```

+++

<!-- answer: topic.why -->
<!-- BEGIN SOLUTION -->
Because the secret is here.
<!-- END SOLUTION -->

```{code-cell} ipython3
:tags: [spec]

def cases(rng):
    for _ in range(3):
        yield {"x": round(rng.uniform(1, 2), 2)}


def reference(x):
    return x + x


exercises.function(
    "topic.double",
    double,
    points=2,
    cases=cases,
    reference=reference,
    tolerance=Tolerance(1e-6, "float64"),
    mutants=[
        Mutant("tripled", lambda x: 3 * x, ("Too much.", "Three times is too much.")),
        Mutant("kept", lambda x: x, ("Too little.", "Once is too little.")),
    ],
)
exercises.number(
    "topic.guess",
    guess,
    points=1,
    reference=lambda: 493 / 4,
    tolerance=Tolerance(1e-3, "three digits"),
    mutants=[Mutant("ten-times", 1232.5, ("Too much.", "Ten times.")), Mutant("sign", -123.25, ("Sign?", "Minus."))],
)
exercises.prose("topic.why", rubric=[(2, "Says why.")])
```
'''

RIGHT, TRIPLED = "def double(x):\n    return x + x", "def double(x):\n    return 3 * x"
ANSWERS = (RIGHT, RIGHT, TRIPLED, "def double(x):\n    return x / 0", "def double(x:", "")


def write_master(folder: Path, name: str = "part/topic", old: str = "", new: str = "") -> Path:
    path = folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    topic = path.stem
    text = (
        MASTER.replace("part/topic", name)
        .replace('"topic.', f'"{topic}.')
        .replace("answer: topic.", f"answer: {topic}.")
    )
    path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return path


def notebook(double: str = RIGHT, guess: str = "guess = 123.25", why: str = "Because.", topic: str = "topic") -> str:
    """The text of a notebook as a student hands it in."""

    def cell(source, kind="code"):
        code = {"execution_count": None, "outputs": []} if kind == "code" else {}
        return {"cell_type": kind, "metadata": {}, "source": source} | code

    cells = [
        cell("from lrlib.exercises import check"),
        cell(double),
        cell(guess),
        cell(f'check("{topic}.double", double)\ncheck("{topic}.guess", guess)'),
        cell(f"<!-- answer: {topic}.why -->\n{why}", "markdown"),
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def hand_in(folder: Path, file: str, text: str, seconds: int = 0) -> None:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (seconds, 1_772_366_400 + seconds))  # from noon of 1 March 2026 in UTC


def a_class(folder: Path, many: int) -> None:
    """Hand in so many notebooks: right and wrong ones, two attempts of some students, late ones and a broken one."""
    rng = random.Random(many)
    for number in range(many):
        attempt = f"_{number}" if number % 5 == 4 else ""
        text = notebook(
            rng.choice(ANSWERS), f"guess = {rng.choice([123.25, 1232.5, 7])}  # {number}", f"I say {number}."
        )
        if number == 3:
            text = text[: len(text) // 2]
        hand_in(folder, f"s{number - bool(attempt):04}{attempt}.ipynb", text, rng.randint(-86_400, 2 * 86_400))


def roster(many: int) -> str:
    return "id,name,extension\n" + "".join(f"s{n:04},Student {n},{24 * (n % 7 == 0)}\n" for n in range(many))
