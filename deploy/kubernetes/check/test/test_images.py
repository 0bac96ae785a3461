"""The checks of the Dockerfile and of compose.yaml find what they should."""

import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import images  # noqa: E402
from manifests import REPO  # noqa: E402

TOOLS, BINARIES = Path(os.environ["TOOLS"]), Path(os.environ["BINARIES"])
VERSIONS = {"rabbitmq": "4.1.4-management", "warren/client-api": "0.1.0"}


class Dockerfile(unittest.TestCase):
    def found(self, change):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "Dockerfile"
            path.write_text(change((REPO / "Dockerfile").read_text()))
            return [what for _, what in images.dockerfile(path, TOOLS / "hadolint")]

    def test_ours_is_sound(self):
        self.assertEqual([], self.found(lambda text: text))

    def test_what_hadolint_says_is_found(self):
        [what] = self.found(lambda text: text.replace("WORKDIR /warren", "WORKDIR warren"))
        self.assertIn("Use absolute WORKDIR", what)

    def test_a_target_that_is_missing_is_found(self):
        missing, extra = self.found(lambda text: text.replace("AS activity-worker", "AS worker"))
        self.assertIn("target activity-worker", missing)
        self.assertIn("target worker", extra)

    def test_another_user_is_found(self):
        [what] = self.found(lambda text: text.replace("USER 65532:65532", "USER 1000:1000"))
        self.assertIn("USER must be the number", what)


class Compose(unittest.TestCase):
    def check(self, fragment, old, new, count=1):
        """Checks that the file with `new` for the first `old` has so many problems, each with this text."""
        text = (REPO / "compose.yaml").read_text()
        self.assertIn(old, text)
        # Beside the file that it mounts.
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=REPO / "target") as file:
            file.write(text.replace("{file: deploy", "{file: ../deploy").replace(old, new, 1))
            file.flush()
            found = images.compose(Path(file.name), TOOLS / "docker-compose", BINARIES, VERSIONS)
        self.assertEqual(count, len(found), found)
        self.assertTrue(all(fragment in what for _, what in found), found)

    def test_ours_is_sound(self):
        self.check("", "warren", "warren", count=0)

    def test_a_port_that_is_open_is_found(self):
        self.check("port 8080 is open", "127.0.0.1:8080:8080", "8080:8080")

    def test_an_image_without_version_is_found(self):
        self.check("name a version", "postgres:17.6", "postgres")

    def test_another_version_than_in_kubernetes_is_found(self):
        self.check("elsewhere it is 4.1.4-management", "rabbitmq:4.1.4-management", "rabbitmq:3.13.7")

    def test_a_service_that_nobody_asks_is_found(self):
        self.check("nobody asks for its health", "http://client-api:8080/health/ready", "http://elsewhere")

    def test_a_setting_that_is_refused_is_found(self):
        self.check("did you mean WARREN_STORE__URL?", "WARREN_STORE__URL: ", "WARREN_STORE__ULR: ", count=3)

    def test_a_drain_that_is_cut_short_is_found(self):
        self.check("stop_grace_period must be 35 s or more", "stop_grace_period: 35s", "stop_grace_period: 20s")

    def test_a_file_that_compose_refuses_is_found(self):
        self.check("prots", "    ports: [\"127.0.0.1:8080:8080\"]", "    prots: []")


if __name__ == "__main__":
    unittest.main()
