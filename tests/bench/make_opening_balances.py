#!/usr/bin/env python3
"""Writes COUNT made-up members with a lot each as members.csv, their mapping as members.toml, and prints their points.

    tests/bench/make_opening_balances.py 1000000 FOLDER
    guilder member import FOLDER/members.csv --mapping FOLDER/members.toml --control-points POINTS

The same count gives the same file.
"""
import pathlib
import random
import sys

MAPPING = """[member]
reference = { column = "ref" }
given_name = { column = "given" }
family_name = { column = "family" }
phone = { column = "phone" }

[lot]
issuer = { column = "issuer" }
points = { column = "points" }
expires = { column = "expires" }
date_format = "%Y-%m-%d"
billed = true
"""


def main() -> int:
    if len(sys.argv) != 3 or not sys.argv[1].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "members.toml").write_text(MAPPING)
    chance = random.Random(1)
    total = 0
    with open(folder / "members.csv", "w") as file:
        file.write("ref,given,family,phone,issuer,points,expires\n")
        for i in range(1, int(sys.argv[1]) + 1):
            points = chance.randint(1, 1000)
            total += points
            file.write(f"M{i},Given{i % 997},Family{i % 991},+49151{i:08d},grocery,{points},2028-12-31\n")
    print(total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
