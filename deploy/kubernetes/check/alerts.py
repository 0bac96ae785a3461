"""Checks alerts and dashboards: they parse, every metric exists, each alert says what to do and has a test that it
rings, and its runbook is there."""

import json
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

from manifests import REPO, where

METRIC = re.compile(r"\b(?:(?:warren|rabbitmq|kube)_[a-z0-9_]+|up)\b(?!=)")
HERE = Path(__file__).parent
TESTS = HERE / "alerts.test.yaml"


def metrics_of_warren():
    """Returns the metrics that the sources name, and what Prometheus would make of them if they were histograms."""
    made = re.compile(r'"(warren_[a-z0-9_]+)"')
    sources = (path for path in REPO.glob("*/src/**/*.rs") if not path.name.endswith("_test.rs"))
    sources = [*sources, *REPO.glob("crates/*/src/**/*.rs")]
    names = {name for path in sources for name in made.findall(path.read_text())}
    return {name + suffix for name in names for suffix in ("", "_bucket", "_sum", "_count")}


def metrics_of_others():
    """Returns the metrics of other exporters that may be used: those in metrics.txt."""
    return {line.strip() for line in (HERE / "metrics.txt").read_text().splitlines() if line and not line.startswith("#")}


def problems(manifests, promtool, tests=TESTS):
    known = metrics_of_warren() | metrics_of_others()
    found = []
    for document in manifests.of("PrometheusRule"):
        groups = document["spec"]["groups"]
        rules = [one for group in groups for one in group["rules"]]
        found += [(where(document), what) for one in rules for what in wrong_with(one, known)]
        found += [(where(document), what) for what in without_test(rules, tests) + refused(groups, tests, promtool)]
    for document in manifests.of("ConfigMap"):
        if document["metadata"].get("labels", {}).get("grafana_dashboard"):
            found += [(where(document), what) for text in document["data"].values() for what in wrong_with_dashboard(text, known)]
    return found


def wrong_with(alert, known):
    name, notes = alert["alert"], alert.get("annotations", {})
    for metric in unknown_metrics(alert["expr"], known):
        yield f"{name}: nobody exports {metric}"
    for note in ("summary", "action", "runbook_url"):
        if not notes.get(note):
            yield f"{name}: annotation {note} is missing"
    if alert.get("labels", {}).get("severity") not in ("warning", "critical"):
        yield f"{name}: severity must be warning or critical"
    if not has_section(notes.get("runbook_url", "")):
        yield f"{name}: there is no section {notes.get('runbook_url')}"


def unknown_metrics(expression, known):
    # What stands in quotes and braces is labels.
    return sorted(set(METRIC.findall(re.sub(r"\{[^}]*\}", "", expression))) - known)


def has_section(link):
    """Says whether a page of the repository has the heading that a link ends in."""
    file, _, anchor = link.partition("#")
    page = REPO / file
    if not file or not page.is_file():
        return False
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def without_test(rules, tests):
    cases = yaml.safe_load(tests.read_text())["tests"]
    rung = {case["alertname"] for test in cases for case in test["alert_rule_test"] if case.get("exp_alerts")}
    return [f"{one['alert']}: no test in {tests.name} makes it ring" for one in rules if one["alert"] not in rung]


def refused(groups, tests, promtool):
    """Returns what promtool says of the expressions and of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "alerts.yaml").write_text(yaml.safe_dump({"groups": groups}))
        (Path(folder) / "test.yaml").write_text(tests.read_text())
        for command in (["check", "rules", "alerts.yaml"], ["test", "rules", "test.yaml"]):
            done = subprocess.run([promtool, *command], cwd=folder, capture_output=True, text=True)
            if done.returncode:
                return [f"promtool {command[0]}: {done.stdout.strip()} {done.stderr.strip()}"]
    return []


def wrong_with_dashboard(text, known):
    try:
        panels = json.loads(text)["panels"]
    except (ValueError, KeyError) as error:
        return [f"is no dashboard: {error}"]
    found = []
    for panel in panels:
        if not panel.get("description"):
            found.append(f"panel {panel['title']!r}: it says not what it shows")
        for target in panel["targets"]:
            found += [f"panel {panel['title']!r}: nobody exports {metric}" for metric in unknown_metrics(target["expr"], known)]
    return found
