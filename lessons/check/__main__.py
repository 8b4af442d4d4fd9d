"""`python -m lessons.check 07`: are your answers to the exercises of lesson 7 right? Hints, never solutions."""

import argparse
import importlib
import sys
import textwrap
import traceback
from pathlib import Path

from lessons.check.calling import NOT_WRITTEN, time_limit
from lessons.check.checking import check_module

HERE = Path(__file__).resolve().parent
WIDTH = 100
RIGHT, NOT_YET, CANNOT_CHECK = 0, 1, 2


def main(argv=None):
    """Check the exercises of some lessons, or of all. Returns 0 if all are right, 1 if not, 2 for an unknown lesson."""
    available = sorted(path.stem.removeprefix("lesson_") for path in HERE.glob("lesson_[0-9][0-9].py"))
    parser = argparse.ArgumentParser(prog="python -m lessons.check", description="Check your answers to the exercises.")
    parser.add_argument("lessons", nargs="*", help=f"their numbers, of {', '.join(available)} (default: all)")
    lessons = parser.parse_args(argv).lessons
    for lesson in lessons:
        if lesson.zfill(2) not in available:
            expected = f"expected one of {', '.join(available)}"
            print(f"There are no exercises for lesson {lesson!r}: {expected}.", file=sys.stderr)
            return CANNOT_CHECK
    return max([_check(lesson.zfill(2)) for lesson in lessons or available])


def _check(number):
    exercises = importlib.import_module(f"lessons.check.lesson_{number}").EXERCISES
    file = f"lessons/exercises/lesson_{number}.py"
    print(f"Lesson {number}: {file}")
    try:
        with time_limit():
            answers = importlib.import_module(f"lessons.exercises.lesson_{number}")
    except (Exception, SystemExit) as error:  # whatever the reader's file does when it is imported
        print(_wrapped(f"The file cannot be read: {_in_a_sentence(error, file)}"))
        return NOT_YET
    right = 0
    for place, (exercise, hint) in enumerate(check_module(exercises, answers), 1):
        right += hint is None
        state = "right" if hint is None else NOT_WRITTEN if hint == NOT_WRITTEN else "not yet right"
        print(f"  {place}. {exercise.name} ({exercise.title}): {state}")
        if hint not in (None, NOT_WRITTEN):
            print(_wrapped(hint))
    print(f"  {right} of {len(exercises)} right.")
    return RIGHT if right == len(exercises) else NOT_YET


def _wrapped(hint):
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent="     ", subsequent_indent="     ") for line in hint.split("\n")
    )


def _in_a_sentence(error, file):
    """What went wrong, with the line, also where the reader's file is no Python at all."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"line {error.lineno}: {error.msg}: `{(error.text or '').strip()}`"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).name == Path(file).name]
    return f"{f'line {lines[-1]}: ' if lines else ''}{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
