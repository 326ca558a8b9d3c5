"""The instructor's side of the exercises: from a master come the student notebook and the public cases.

``python -m grader make`` writes what is stale, ``python -m grader check-master`` proves a master.
"""

from grader.spec import ExerciseSet, Mutant, Question, Tolerance

__all__ = ["ExerciseSet", "Mutant", "Question", "Tolerance"]
