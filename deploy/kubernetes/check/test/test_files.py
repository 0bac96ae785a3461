"""What is read and run beside the rules: settings by the binaries, schemas, alerts, the page of documentation."""

import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import alerts  # noqa: E402
import external  # noqa: E402
import schemas  # noqa: E402
import settings  # noqa: E402
from manifests import KUBERNETES, Manifests, environment, parse, render  # noqa: E402

TOOLS, BINARIES = Path(os.environ["TOOLS"]), Path(os.environ["BINARIES"])
PRODUCTION = render(KUBERNETES / "overlays/production", TOOLS / "kubectl")
DEFINITION = """
spec:
  group: example.org
  names: {kind: Sample}
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            apiVersion: {type: string}
            kind: {type: string}
            metadata: {type: object}
            spec:
              type: object
              required: [count]
              properties: {count: {type: integer}, size: {x-kubernetes-int-or-string: true}}
"""
SAMPLE = "{apiVersion: example.org/v1, kind: Sample, metadata: {name: a, labels: {b: c}}, spec: %s}"


class Settings(unittest.TestCase):
    def refused(self, change):
        manifests = copy.deepcopy(PRODUCTION)
        change(manifests)
        return settings.effective(manifests, BINARIES)[1]

    def test_a_setting_that_nobody_knows_is_refused_by_every_binary(self):
        def change(manifests):
            config = next(one for one in manifests.of("ConfigMap") if "warren.toml" in one["data"])
            config["data"]["warren.toml"] += '\nlevle = "info"\n'

        found = self.refused(change)
        self.assertEqual(5, len(found), found)
        self.assertTrue(all("did you mean log.level?" in what for _, what in found), found)

    def test_a_variable_that_nobody_knows_is_refused(self):
        def change(manifests):
            container = manifests.find("Deployment", "activity-worker-text")["spec"]["template"]["spec"]["containers"][0]
            environment(container)["WARREN_WORKER__QUEUES"]["name"] = "WARREN_WORKER__QUEUE"

        [(place, what)] = self.refused(change)
        self.assertEqual("Deployment activity-worker-text", place)
        self.assertIn("did you mean WARREN_WORKER__QUEUES?", what)

    def test_a_file_that_is_not_mounted_is_missed(self):
        def change(manifests):
            del manifests.find("Deployment", "client-api")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]

        [(place, what)] = self.refused(change)
        self.assertEqual("Deployment client-api", place)
        self.assertIn("read settings from /etc/warren/warren.toml", what)

    def test_a_sample_with_a_mistake_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            sample = Path(folder) / "sample.toml"
            sample.write_text("[hub]\npartitions = 100\n")
            self.assertEqual(3, len(settings.sample(sample, BINARIES)))
            sample.write_text("[hub]\npartitions = 8\n")
            self.assertEqual([], settings.sample(sample, BINARIES))


class Schemas(unittest.TestCase):
    def found(self, text, crds=None):
        return [what for _, what in schemas.problems(parse(text), crds)[0]]

    def test_what_kubernetes_does_not_know_is_found(self):
        service = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {%s}}"
        self.assertEqual([], self.found(service % "ports: [{port: 80}]"))
        self.assertEqual(1, len(self.found(service % "ports: [{port: eighty}]")))
        self.assertEqual(1, len(self.found(service % "prots: []")))
        self.assertEqual(1, len(self.found("{apiVersion: apps/v9, kind: Deployment, metadata: {name: a}}")))

    def test_custom_resources_are_checked_against_their_definitions(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "samples.yaml").write_text(DEFINITION)
            self.assertEqual([], self.found(SAMPLE % "{count: 1, size: 1Gi}", folder))
            for wrong in ("{}", "{count: one}", "{count: 1, cuont: 2}"):
                self.assertEqual(1, len(self.found(SAMPLE % wrong, folder)), wrong)
            other = (SAMPLE % "{count: 1}").replace("Sample", "Other")
            self.assertEqual([f"no definition of it in {folder}"], self.found(other, folder))

    def test_without_definitions_the_kinds_are_named(self):
        self.assertEqual(([], {("example.org/v1", "Sample")}), schemas.problems(parse(SAMPLE % "{}"), None))

    def test_a_folder_without_definitions_is_refused(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(SystemExit):
            schemas.definitions(Path(folder))


class Alerts(unittest.TestCase):
    def found(self, change):
        """Returns what is found once `change` was made to the first alert and to the tests."""
        document = copy.deepcopy(PRODUCTION.find("PrometheusRule", "warren"))
        tests = yaml.safe_load(alerts.TESTS.read_text())
        change(document["spec"]["groups"][0]["rules"][0], tests)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "alerts.test.yaml"
            file.write_text(yaml.safe_dump(tests))
            return [what for _, what in alerts.problems(Manifests([document]), TOOLS / "promtool", file)]

    def check(self, fragment, change):
        found = self.found(change)
        self.assertEqual(1, len(found), found)
        self.assertIn(fragment, found[0])

    def test_alerts_are_sound(self):
        self.assertEqual([], self.found(lambda alert, tests: None))

    def test_a_metric_that_nobody_exports_is_found(self):
        def change(alert, tests):
            alert["expr"] += " or warren_backlog > 4"

        self.check("nobody exports warren_backlog", change)

    def test_an_alert_says_what_to_do(self):
        def change(alert, tests):
            del alert["annotations"]["action"]
            del tests["tests"][0]["alert_rule_test"][1]["exp_alerts"][0]["exp_annotations"]["action"]
            del tests["tests"][1]

        self.check("annotation action is missing", change)

    def test_a_runbook_that_is_not_there_is_found(self):
        def change(alert, tests):
            alert["annotations"]["runbook_url"] = "docs/operations.md#pray"
            for test in tests["tests"][:2]:
                test["alert_rule_test"][-1]["exp_alerts"][0]["exp_annotations"]["runbook_url"] = "docs/operations.md#pray"

        self.check("there is no section docs/operations.md#pray", change)

    def test_an_alert_without_a_test_is_found(self):
        self.check("no test in alerts.test.yaml", lambda alert, tests: tests["tests"].__delitem__(slice(0, 2)))

    def test_an_alert_that_rings_at_another_time_is_found(self):
        self.check("promtool test", lambda alert, tests: alert.update({"for": "30m"}))

    def test_an_expression_that_does_not_parse_is_found(self):
        self.check("promtool check", lambda alert, tests: alert.update({"expr": "sum(warren_partitions_owned"}))

    def test_a_dashboard_shows_what_exists_and_says_what(self):
        target = {"expr": 'sum(warren_partitions_owned{pod="warren_x"}) + warren_backlog'}
        panel = {"title": "a", "description": "b", "targets": [target]}
        wrong = list(alerts.wrong_with_dashboard(json.dumps({"panels": [panel]}), alerts.metrics_of_warren()))
        self.assertEqual(["panel 'a': nobody exports warren_backlog"], wrong)
        silent = {"title": "a", "targets": []}
        self.assertEqual(1, len(alerts.wrong_with_dashboard(json.dumps({"panels": [silent]}), set())))
        self.assertEqual(1, len(alerts.wrong_with_dashboard("{", set())))


class Page(unittest.TestCase):
    def test_the_list_of_secrets_is_read_off_the_page(self):
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.md"
            page.write_text("| `x` | `y` | z |\n## Secrets\n\n| Secret | keys |\n|---|---|\n| `a`, `b` | `c`, `d` | e |\n## More\n| `f` | `g` | h |\n")
            self.assertEqual({"a": {"c", "d"}, "b": {"c", "d"}}, external.secrets(page))

    def test_the_script_makes_what_the_page_says_it_makes(self):
        done = subprocess.run([KUBERNETES / "secrets", "elsewhere"], capture_output=True, text=True, check=True)
        made = {document["metadata"]["name"]: document["stringData"] for document in yaml.safe_load_all(done.stdout) if document}
        wanted = {name: keys for name, keys in external.secrets().items() if name.endswith("-broker")}
        self.assertEqual(wanted, {name: set(data) for name, data in made.items()})
        for name, data in made.items():
            user = name.removesuffix("-broker")
            self.assertEqual(user, data["username"])
            # KEDA takes user and password apart.
            address = "http://" if user == "keda" else f"amqp://{user}:{data['password']}@"
            self.assertTrue(data["url"].startswith(f"{address}warren-rabbitmq.elsewhere.svc:"), data["url"])
        self.assertEqual(len(made), len({data["password"] for data in made.values()}))

    def test_a_folder_that_does_not_render_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "kustomization.yaml").write_text("resources: [absent.yaml]\n")
            with self.assertRaises(SystemExit):
                render(folder, TOOLS / "kubectl")


if __name__ == "__main__":
    unittest.main()
