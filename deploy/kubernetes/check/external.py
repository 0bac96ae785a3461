"""The Secrets that are made elsewhere: the table of docs/kubernetes.md is the list."""

import re

from manifests import REPO

PAGE = REPO / "docs/kubernetes.md"
ROW = re.compile(r"^\| (`[^|]*`) \| (`[^|]*`) \|", re.MULTILINE)


def secrets(page=PAGE):
    """Returns the keys of each Secret: rows of a table that begin with names and keys, both in backticks."""
    found = {}
    section = page.read_text().partition("## Secrets")[2].partition("\n## ")[0]
    for names, keys in ROW.findall(section):
        for name in re.findall(r"`([^`]+)`", names):
            found[name] = set(re.findall(r"`([^`]+)`", keys))
    return found
