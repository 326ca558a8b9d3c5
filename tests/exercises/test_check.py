"""`check` explains what is wrong with an answer, whatever the answer does."""

import subprocess
import sys
import time

import numpy as np
import pytest

from lrlib.exercises import check
from lrlib.exercises.calls import Case, call


def adam(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def adam_uncorrected(x, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return x - lr * m / (np.sqrt(v) + eps), m, v


class AMSGrad:
    largest_of = staticmethod(np.maximum)

    def __init__(self, x, lr, beta1, beta2, eps):
        self.x, self.parameters = x.copy(), (lr, beta1, beta2, eps)
        self.m, self.v, self.largest, self.t = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), 0

    def step(self, g):
        lr, beta1, beta2, eps = self.parameters
        self.t += 1
        self.m = beta1 * self.m + (1 - beta1) * g
        self.v = beta2 * self.v + (1 - beta2) * g**2
        self.largest = self.largest_of(self.largest, self.v)
        self.x -= lr * self.m / (1 - beta1**self.t) / (np.sqrt(self.largest / (1 - beta2**self.t)) + eps)
        return self.x


def test_a_right_answer_is_true_and_says_so(capsys):
    result = check("adam.update", adam)
    assert result
    assert repr(result) == "✓ adam.update: right on all 3 inputs."
    assert capsys.readouterr().out == f"{result!r}\n"


def test_a_wrong_answer_shows_input_expected_and_came():
    result = check("gradient_descent.step", lambda H, b, x, lr: x - 1)
    assert not result
    for part in ("input 1 of 4", "input     H = [[6.]], b = [", "expected  [", "came      [", "was expected"):
        assert part in result.text


def test_a_mistake_made_again_gets_the_next_hint():
    hints = [check("adam.update", adam_uncorrected).hint for _ in range(4)]
    assert len(set(hints[:3])) == 3
    assert hints[3] == hints[2]


def test_another_mistake_starts_with_its_own_first_hint():
    check("adam.update", adam_uncorrected)
    swapped = check("adam.update", lambda x, g, m, v, t, lr, b1, b2, eps: adam(x, g, m, v, t, lr, b2, b1, eps))
    assert swapped.mistake == "betas-swapped"
    assert "slower" in swapped.hint


def test_a_result_shows_nothing_twice_in_a_notebook(capsys):
    result = check("adam.update", adam)
    capsys.readouterr()
    assert result._ipython_display_() is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("answer", [..., lambda *arguments: unwritten()])
def test_what_is_not_written_yet_is_no_mistake(answer):
    result = check("adam.update", answer)
    assert not result
    assert result.text == "○ adam.update: not written yet."


def unwritten():
    raise NotImplementedError("your code here")


def test_an_exception_is_reported_with_its_line():
    def divides(x, g, m, v, t, lr, beta1, beta2, eps):
        return 1 / (t - t)

    assert "it raised ZeroDivisionError: division by zero (line " in check("adam.update", divides).text
    assert "return 1 / (t - t)" in check("adam.update", divides).text


def test_leaving_python_is_an_exception_too():
    assert "it raised SystemExit" in check("gradient_descent.step", lambda H, b, x, lr: sys.exit()).text


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (0.1, "the function itself is asked for"),
        (None, "None came"),
        (lambda x: x, "it must take 9 arguments (x, g, m, v, t, lr, beta1, beta2, eps)"),
        (lambda *arguments: None, "3 things were expected, None came"),
        (lambda x, *rest: (x, x), "3 things were expected, a tuple of 2 came"),
        (lambda x, *rest: (x, x, "v"), "came"),
        (lambda x, *rest: (x[:, None], x, x), "an array of shape"),
        (lambda x, *rest: (x * np.nan, x, x), "nan came"),
        (lambda x, *rest: (x > 0, x, x), "an array of bool came"),
    ],
)
def test_a_wrong_kind_of_answer_is_named(answer, part):
    assert part in check("adam.update", answer).text


def test_changing_an_input_in_place_is_reported_though_the_result_is_right():
    def in_place(H, b, x, lr):
        x -= lr * (H @ x - b)
        return x

    result = check("gradient_descent.step", in_place)
    assert not result
    assert "the results are right, but x is changed in place" in result.text


def test_several_changed_inputs_are_all_named():
    def in_place(H, b, x, lr):
        result = x - lr * (H @ x - b)
        x[:], b[:] = 0, 0
        return result

    assert "the results are right, but b and x are changed in place" in check("gradient_descent.step", in_place).text


@pytest.mark.parametrize("losses", [np.array([2.0, np.nan, np.inf]), float("nan"), (1, float("nan")), np.arange(3)])
def test_an_input_that_holds_nan_is_not_taken_for_changed(losses):
    assert call(lambda losses: 1, Case({"losses": losses})) == (1, ())


def test_a_nan_written_into_an_input_is_a_change():
    def in_place(losses):
        losses[0] = np.nan

    assert call(in_place, Case({"losses": np.array([2.0, np.nan])})) == (None, ("losses",))


def test_changing_an_input_in_place_gets_no_hint_about_something_else():
    class InPlace(AMSGrad):
        def __init__(self, x, *constants):
            super().__init__(x, *constants)
            self.x = x  # the caller's own array

    result = check("adam.amsgrad", InPlace)
    assert "x is changed in place" in result.text
    assert result.hint is None


def test_an_answer_that_raises_gets_no_hint_about_its_results():
    result = check("adam.update", lambda *arguments: 1 / 0)
    assert "ZeroDivisionError" in result.text
    assert result.hint is None


def test_a_mistake_that_raises_is_recognised_by_what_the_exception_says():
    class BuiltinMax(AMSGrad):
        largest_of = staticmethod(max)

    class Other(AMSGrad):
        def largest_of(self, one, other):
            raise ValueError("something else")

    assert check("adam.amsgrad", BuiltinMax).mistake == "max-of-arrays"
    assert "np.maximum" in check("adam.amsgrad", BuiltinMax).hint
    assert check("adam.amsgrad", Other).mistake is None


def test_it_is_said_which_parts_are_right():
    assert "part 1 of 3 (x)" in check("adam.update", adam_uncorrected).text
    assert "; m and v are right" in check("adam.update", adam_uncorrected).text


def test_a_stateful_answer_is_told_the_first_step_that_is_wrong():
    class Plain(AMSGrad):
        largest_of = staticmethod(lambda largest, v: v)

    assert "step 2 of 7: at [0]" in check("adam.amsgrad", Plain).text


def test_a_class_without_step_is_told_so():
    class Nothing:
        def __init__(self, x, lr, beta1, beta2, eps):
            pass

    assert "it must have a method step(g)" in check("adam.amsgrad", Nothing).text


def test_a_class_that_reuses_its_array_is_judged_by_what_each_step_returned():
    assert check("adam.amsgrad", AMSGrad)


@pytest.mark.parametrize("guess", [0.5, 0.33, 1.0, -0.5, np.float32(0.2), 0])
def test_a_prediction_that_is_wrong_is_not_told_the_number(guess):
    result = check("gradient_descent.threshold", guess)
    assert not result
    assert "0.333" not in result.text


def test_a_prediction_with_too_few_digits_is_told_so():
    for question, guess in (("gradient_descent.threshold", 0.33), ("exponential.fifteenth", 0.043)):
        result = check(question, guess)
        assert not result
        assert "is close, but not close enough. Too few digits" in result.text
        assert result.hint is None


def test_a_known_mistake_is_recognised_though_it_is_rounded():
    assert check("gradient_descent.threshold", 0.29).mistake == "best-rate"
    assert check("exponential.fifteenth", 0.0423).mistake == "printed-after-the-15th"


@pytest.mark.parametrize(("guess", "part"), [("1/3", "text came"), ([0.3], "shape (1,) came"), (np.nan, "nan is not")])
def test_a_prediction_must_be_a_number(guess, part):
    assert part in check("gradient_descent.threshold", guess).text


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (lambda curvatures, x0, steps: 0.1, "a rate and a loss were expected"),
        (lambda curvatures, x0, steps: np.array(0.1), "a rate and a loss were expected, a number came"),
        (lambda curvatures, x0, steps: (-0.1, 1.0), "the rate must be finite and positive"),
        (lambda curvatures, x0, steps: (1e3, 1.0), "; at most "),
        (lambda curvatures, x0, steps: ("0.1", 1.0), "two numbers, were expected, (text, a number) came"),
    ],
)
def test_a_chosen_rate_is_judged_by_a_run(answer, part):
    assert part in check("gradient_descent.choose", answer).text


def test_an_unknown_question_lists_those_of_its_set():
    with pytest.raises(ValueError, match=r"no question 'adam.nothing'; this set has: adam.update, adam.first_step"):
        check("adam.nothing", adam)


def test_an_unknown_set_lists_the_sets():
    with pytest.raises(ValueError, match=r"there are: adam, .*gradient_descent"):
        check("adma.update", adam)


def test_a_swapped_call_is_explained():
    with pytest.raises(ValueError, match=r'check\("id", answer\)'):
        check(adam, "adam.update")


def test_checking_needs_numpy_only():
    code = (
        "import sys; from lrlib.exercises import check; check('gradient_descent.choose', lambda c, x, s: (0.1, 1.0));"
        "print([name for name in ('torch', 'matplotlib', 'sklearn', 'scipy', 'IPython') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_check_takes_less_than_a_fifth_of_a_second_of_processor_time(master):
    check(master.exercises.questions[0].id, ...)  # reads the file
    for question in master.exercises.questions:
        for answer in [question.solution, *(mutant.answer for mutant in question.mutants)]:
            answer = replayed(master, question, answer)
            start = time.process_time()
            check(question.id, answer)
            assert time.process_time() - start < 0.2, question.id


def replayed(master, question, answer):
    """The same answer at once: how long a student's own code takes is not the matter of `check`."""
    if question.kind != "function":
        return answer
    outputs = iter(question.outputs(answer, question.draw(master.exercises.public_seed(question))))
    return lambda *inputs: next(outputs)
