"""The checks find what they should: production is sound, and each change in broken.yaml is found, alone."""

import copy
import os
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import external  # noqa: E402
import links  # noqa: E402,F401
import pods  # noqa: E402,F401
import scaling  # noqa: E402,F401
import settings  # noqa: E402
from manifests import KUBERNETES, render  # noqa: E402
from rules import RULES, Overlay, problems  # noqa: E402

TOOLS, BINARIES = Path(os.environ["TOOLS"]), Path(os.environ["BINARIES"])
CASES = yaml.safe_load((Path(__file__).parent / "broken.yaml").read_text())
PRODUCTION = render(KUBERNETES / "overlays/production", TOOLS / "kubectl")
EFFECTIVE, REFUSED = settings.effective(PRODUCTION, BINARIES)
SOUND = Overlay(PRODUCTION, EFFECTIVE, settings.registered(BINARIES), external.secrets())


def broken(case):
    """Returns the sound overlay with one change."""
    overlay = copy.deepcopy(SOUND)
    kind, _, name = case["at"].partition(" ")
    document = overlay.settings[name] if kind == "settings" else overlay.manifests.find(kind, name)
    change(document, case["path"].split("."), case)
    return overlay


def change(place, path, case):
    *way, last = path
    for step in way:
        place = place[key(place, step)]
    last = key(place, last)
    if "to" not in case:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(case["to"])
    else:
        place[last] = case["to"]


def key(place, step):
    """Returns a key or an index; a member of a list may go by its name."""
    if not isinstance(place, list):
        return step
    return int(step) if step.isdigit() else [member["name"] for member in place].index(step)


class Rules(unittest.TestCase):
    maxDiff = None

    def test_production_is_sound(self):
        self.assertEqual([], REFUSED)
        self.assertEqual([], problems(SOUND))

    def test_each_change_is_found_and_nothing_else(self):
        for case in CASES:
            with self.subTest(**{key: case[key] for key in ("rule", "at", "path")}):
                found = problems(broken(case))
                self.assertEqual({case["rule"], *case.get("also", [])}, {rule for rule, _, _ in found}, found)

    def test_each_rule_has_a_case(self):
        self.assertEqual(set(RULES), {case["rule"] for case in CASES})

    def test_two_of_the_same_are_found(self):
        overlay = copy.deepcopy(SOUND)
        overlay.manifests.append(copy.deepcopy(overlay.manifests.find("Service", "client-api")))
        self.assertEqual([("names-are-unique", "Service client-api", "is there twice")], problems(overlay))


if __name__ == "__main__":
    unittest.main()
