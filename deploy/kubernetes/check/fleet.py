"""The pods of an overlay as processes of this machine: one of each Deployment, with the settings that it would have, but
for addresses; over a SQLite file instead of PostgreSQL."""

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

from manifests import name_of
from settings import variables_of

# A port of its own for each: client-api's setting and the others'.
LISTEN = {
    "client-api": "WARREN_CLIENT_API__LISTEN",
    "orchestrator-svc": "WARREN_HEALTH__ORCHESTRATOR",
    "activity-worker": "WARREN_HEALTH__WORKER",
}
SECONDS = 60
# Below what Linux gives by itself, as in crates/testing: a UDP socket that is held keeps every other such look away.
PORTS = range(27_000, 32_000)
RESERVED = []


def free_port():
    for port in PORTS:
        with socket.socket() as probe:
            held = socket.socket(type=socket.SOCK_DGRAM)
            try:
                held.bind(("127.0.0.1", port))
                probe.bind(("127.0.0.1", port))
            except OSError:
                held.close()
                continue
        RESERVED.append(held)
        return port
    raise AssertionError(f"all ports from {PORTS.start} to {PORTS.stop - 1} are taken")


def wait_until(what, is_so):
    deadline = time.monotonic() + SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {SECONDS} s: {what}")
        time.sleep(0.1)


class Fleet:
    def __init__(self, manifests, binaries, urls, folder):
        """`urls` are the broker's, by binary."""
        self.manifests, self.binaries, self.urls, self.folder = manifests, binaries, urls, folder
        self.processes, self.ports = {}, {}

    def __enter__(self):
        self.folder.mkdir()
        for document, _, spec, container, binary in self.manifests.warren_pods():
            name = name_of(document)
            home = self.folder / name
            home.mkdir()
            self.ports[name] = free_port()
            variables = variables_of(self.manifests, spec, container, home)
            variables |= {"WARREN_BROKER__URL": self.urls[binary], LISTEN[binary]: f"127.0.0.1:{self.ports[name]}"}
            if "WARREN_STORE__URL" in variables:
                variables["WARREN_STORE__URL"] = f"sqlite:{self.folder}/hub.db"
            with (home / "log").open("w") as log:
                self.processes[name] = subprocess.Popen([self.binaries / binary], env=variables, cwd=home, stderr=log)
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            code = process.wait(timeout=SECONDS)
            assert code == 0, f"{name} ended with {code}:\n{self.log(name)}"

    def log(self, name):
        return (self.folder / name / "log").read_text()

    def await_ready(self):
        for name in self.processes:
            try:
                wait_until(f"{name} is ready", lambda: self.is_ready(name))
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.log(name)}") from None
        print(f"  ready: {', '.join(sorted(self.processes))}")

    def is_ready(self, name):
        try:
            return self.ask(name, "/health/ready")[0] == 200
        except OSError:
            return False

    def run(self, orchestrator, body):
        """Starts an orchestration and waits for its end; returns its result."""
        code, answer = self.ask("client-api", f"/api/v1/orchestrators/{orchestrator}?timeout=30", body)
        assert code == 200, f"{orchestrator}: {code} {answer}"
        return answer

    def ask(self, name, place, body=None):
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.ports[name]}{place}"
        request = urllib.request.Request(url, data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def assert_never(self, pattern):
        """Checks that no process has logged such a thing."""
        for name in self.processes:
            found = [line for line in self.log(name).splitlines() if re.search(pattern, line)]
            assert not found, f"{name}: {found[0]}"
