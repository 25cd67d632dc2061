# SPDX-License-Identifier: Apache-2.0
"""The project's own source files as the checks read them: which there are, and their text without literals."""
import re
import subprocess

# The longest delimiters first: raw and multi-line strings, comments, then plain strings with interpolations.
SWIFT = re.compile(
    r'(?P<raw>#+)"""(?:.|\n)*?"""(?P=raw)|"""(?:\\.|[^\\])*?"""|(?P<hash>#+)"[^\n]*?"(?P=hash)'
    r'|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\\((?:[^()\n]|\([^()\n]*\))*\)|\\.|[^"\\\n])*"'
)
C = re.compile(r"//[^\n]*|/\*(?:.|\n)*?\*/|\"(?:\\(?:.|\n)|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'")


def listed(*patterns):
    """The hand-written files, as scripts/list-sources prints them."""
    names = subprocess.run(["scripts/list-sources", *patterns], capture_output=True, text=True, check=True)
    return names.stdout.splitlines()


def spaces(hit):
    return re.sub(r"[^\n]", " ", hit.group())


def without_literals(text, language):
    """The text with strings and comments blanked; every other character keeps its line and column."""
    return (SWIFT if language == "swift" else C).sub(spaces, text)
