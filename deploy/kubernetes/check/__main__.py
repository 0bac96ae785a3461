"""Checks the overlays given (schemas, settings, rules, alerts), the Dockerfile and compose.yaml. Prints what is wrong, and ends with 1 if anything is.

usage: python deploy/kubernetes/check --tools FOLDER [--binaries FOLDER] [--crds FOLDER] OVERLAY ...
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import alerts  # noqa: E402
import external  # noqa: E402
import images  # noqa: E402
import links  # noqa: E402,F401  registers rules
import pods  # noqa: E402,F401
import scaling  # noqa: E402,F401
import schemas  # noqa: E402
import settings  # noqa: E402
from manifests import KUBERNETES, REPO, render  # noqa: E402
from rules import RULES, Overlay, problems  # noqa: E402


def check(overlay, tools, binaries, crds):
    """Returns what is wrong with an overlay, and what could not be checked."""
    manifests = render(overlay, tools / "kubectl")
    misfits, unknown = schemas.problems(manifests, crds)
    found = [("schema", *problem) for problem in misfits]
    effective, refused = settings.effective(manifests, binaries)
    found += [("settings", *problem) for problem in refused]
    if not refused:
        found += problems(Overlay(manifests, effective, settings.registered(binaries), external.secrets()))
    found += [("alert", *problem) for problem in alerts.problems(manifests, tools / "promtool")]
    return manifests, found, unknown


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, required=True, help="as tools/kubernetes prints, /bin")
    parser.add_argument("--binaries", type=Path, default=REPO / "target/release")
    parser.add_argument("--crds", help="folder of custom resource definitions")
    parser.add_argument("overlays", nargs="+", type=Path)
    arguments = parser.parse_args()
    arguments.binaries, arguments.tools = arguments.binaries.resolve(), arguments.tools.resolve()
    if not (arguments.binaries / "client-api").exists():
        sys.exit(f"{arguments.binaries} has no binaries: make build, or name another folder (BINARIES=FOLDER)")
    wrong = 0
    for path in arguments.overlays:
        manifests, found, unknown = check(path, arguments.tools, arguments.binaries, arguments.crds)
        for rule, place, what in found:
            print(f"{path}: {place}: {what} [{rule}]")
        for version, kind in sorted(unknown):
            print(f"{path}: not checked, since CRDS names no folder of definitions: {version} {kind}")
        wrong += len(found)
        print(f"{path}: {len(manifests)} documents, {len(RULES)} rules, {len(found)} problems")
    laptop = render(KUBERNETES / "overlays/laptop", arguments.tools / "kubectl")
    others = settings.sample(REPO / "deploy/warren.toml", arguments.binaries)
    others += images.problems(arguments.tools, arguments.binaries, laptop)
    for place, what in others:
        print(f"{place}: {what}")
    print(f"deploy/warren.toml, Dockerfile, compose.yaml: {len(others)} problems")
    wrong += len(others)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
