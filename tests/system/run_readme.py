#!/usr/bin/env python3
"""Runs the commands that README.md tells newcomers to try, on a network of their own.

    run_readme.py PROGRAMS_DIRECTORY

Exit code: 0 when every command did what the text says.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import typing

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECTION = re.compile(r"^## The next five things to try$(.*?)^## ", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"(?:^    .*\n)+", re.MULTILINE)


class Named(typing.NamedTuple):
    """A name in the text, and those that commands print in its place."""

    placeholder: re.Pattern
    name: re.Pattern


REDEMPTION = Named(re.compile("redemptions/…"), re.compile(r"redemptions/\d+-\d+"))
SELF_BILLED = Named(re.compile(r"invoices/SB-\d{4}-000001"), re.compile(r"invoices/SB-\d{4}-000001"))

# A part of a command, how it ends, and a part of what it prints.
EXPECTED = [
    ("--receipt 17", 0, "Points 23"),
    ("clock advance", 0, "DEVELOPMENT"),
    ("amount=90.00", 1, "RECEIPT_CONFLICT"),
    ("parked list", 0, "RECEIPT_CONFLICT"),
    ("redemption capture", 0, "60"),
    ("window close", 0, "SEALED"),
    ("settlement approve", 0, "invoices/SB-"),
    ("settlement export", 0, "settlement-1.xml"),
    ("explain", 0, "redemptions/"),
    ("ledger verify", 0, "everything holds"),
]


def commands_of(block):
    """The block's commands, each on one line, without comments."""
    lines = block.replace("\\\n", " ").splitlines()
    commands = [re.sub(r"\s+", " ", line.split("  #")[0]).strip() for line in lines]
    return [command for command in commands if command]


class Shell:
    """A shell that keeps its variables from command to command."""

    MARK = "-- ended with "

    def __init__(self, directory, environment):
        self.bash = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=directory, env=environment
        )

    def run(self, command):
        """Its exit code, and what it said."""
        self.bash.stdin.write(f"{{ {command}; }} 2>&1 < /dev/null\necho '{self.MARK}'$?\n")
        self.bash.stdin.flush()
        output = ""
        for line in self.bash.stdout:
            if line.startswith(self.MARK):
                return int(line[len(self.MARK) :]), output
            output += line
        raise RuntimeError("the shell ended")


def check(command, code, output):
    """What is wrong with it, or nothing."""
    for part, expected_code, text in EXPECTED:
        if part in command:
            squeezed = re.sub(r" +", " ", output)
            if code != expected_code or text not in squeezed:
                return f"expected exit code {expected_code} and '{text}'"
            return None
    return None if code == 0 else "expected exit code 0"


def try_all(directory, environment):
    blocks = BLOCK.findall(SECTION.search((ROOT / "README.md").read_text())[1])
    card = json.loads((directory / "guilder-data/network.json").read_text())["partners"][0]["card"]
    shell, said, failures = Shell(directory, environment), "", 0
    # The first block starts the network, which has been done.
    commands = [command for block in blocks[1:] for command in commands_of(block)]
    for command in commands:
        command = command.replace("CARD", card)
        # Names that only an earlier command tells.
        for pattern in (REDEMPTION, SELF_BILLED):
            command = pattern.placeholder.sub((pattern.name.findall(said) or [""])[-1], command)
        code, output = shell.run(command)
        said += output
        wrong = check(command, code, output)
        print(f"{'FAILED' if wrong else 'ok'}: {command}")
        if wrong:
            failures += 1
            print(f"  {wrong}; it ended with {code} and said:\n{output}")
    for part, _, _ in EXPECTED:
        if not any(part in command for command in commands):
            failures += 1
            print(f"FAILED: README.md has no command with '{part}'")
    return failures


def main():
    with tempfile.TemporaryDirectory(prefix="guilder-readme-") as name:
        directory = pathlib.Path(name)
        # The server's own user, who runs it when we are root, must be able to enter.
        directory.chmod(0o711)
        environment = dict(os.environ, PATH=f"{sys.argv[1]}:{os.environ['PATH']}")
        environment.pop("GUILDER_NETWORK", None)
        network = subprocess.Popen(
            ["guilder", "dev"], cwd=directory, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            if not any("The network is up" in line for line in network.stdout):
                print("FAILED: guilder dev did not start")
                return 1
            failures = try_all(directory, environment)
        finally:
            network.send_signal(signal.SIGTERM)
            network.stdout.close()
            network.wait(timeout=60)
    return 0 if failures == 0 and network.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
