#!/usr/bin/env python3
"""Counts the test cases in ctest's JUnit files and prints "N passed, N failed"; exits 1 unless all passed, and some
in each file.

A test program of Catch2 ends its output with a summary, which 2.13 and 3.x write alike. A program that has no
summary (another kind of test, or one that crashed) counts as one test case.
"""

import re
import sys
import xml.etree.ElementTree

ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.MULTILINE)
SOME = re.compile(r"^test cases: +\d+(.*)$", re.MULTILINE)


def count(output, program_passed):
    """The test cases of one program, as (passed, failed)."""
    if match := ALL_PASSED.search(output):
        passed, failed = int(match[1]), 0
    elif match := SOME.search(output):
        counts = {what: int(number) for number, what in re.findall(r"(\d+) (passed|failed)\b(?! as)", match[1])}
        passed, failed = counts.get("passed", 0), counts.get("failed", 0)
    else:
        return (1, 0) if program_passed else (0, 1)
    # Every case passed and the program still failed: it did so at its end.
    if not program_passed and failed == 0:
        failed = 1
    return passed, failed


def count_file(path):
    """The test cases of all programs of a file, as (passed, failed)."""
    try:
        tests = xml.etree.ElementTree.parse(path).getroot().findall("testcase")
    except OSError:
        tests = []
    passed = failed = 0
    for test in tests:
        output = test.findtext("system-out") or ""
        status = test.get("status")
        if status in ("disabled", "notrun") and test.find("failure") is None:
            continue
        program_passed = status == "run" and test.find("failure") is None
        of_program = count(output, program_passed)
        passed += of_program[0]
        failed += of_program[1]
        if of_program[1]:
            print(f"failed: {test.get('name')}")
    return passed, failed


def main():
    counts = [count_file(path) for path in sys.argv[1:]]
    failed = sum(of_file[1] for of_file in counts)
    print(f"{sum(of_file[0] for of_file in counts)} passed, {failed} failed")
    return 0 if failed == 0 and all(of_file[0] > 0 for of_file in counts) else 1


if __name__ == "__main__":
    sys.exit(main())
