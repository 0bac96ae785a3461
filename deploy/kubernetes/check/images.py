"""Checks the Dockerfile and compose.yaml beside the manifests: the same binaries, ports and versions, nothing open."""

import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

from manifests import REPO, WARREN
from scaling import MARGIN
from settings import run

SECONDS = re.compile(r"(?:(\d+)m)?(?:(\d+)s)?")


def dockerfile(path, hadolint):
    """Returns what hadolint says, and the targets that are missing or in excess."""
    done = subprocess.run([hadolint, path], capture_output=True, text=True)
    found = done.stdout.splitlines()
    targets = set(re.findall(r"^FROM runtime AS (\S+)", path.read_text(), re.MULTILINE))
    found += [f"target {name}: each binary has one, and nothing else" for name in sorted(targets ^ WARREN)]
    if not re.search(r"^USER 65532:65532$", path.read_text(), re.MULTILINE):
        found.append("USER must be the number that the manifests name")
    return [(path.name, what) for what in found]


def compose(path, docker_compose, binaries, versions):
    """Returns what is wrong with a compose file; `versions` are the images that others are to agree with."""
    done = subprocess.run([docker_compose, "-f", path, "config", "--format", "json"], capture_output=True, text=True)
    if done.returncode:
        return [(path.name, done.stderr.strip())]
    found = []
    model = json.loads(done.stdout)
    services = model["services"]
    asked = " ".join(" ".join(service.get("healthcheck", {}).get("test", [])) for service in services.values())
    for name, service in services.items():
        found += [(name, what) for what in wrong_with(name, service, asked)]
        image, _, tag = service["image"].partition(":")
        if versions.get(image, tag) != tag:
            found.append((name, f"image {service['image']}: elsewhere it is {versions[image]}"))
        if name in WARREN:
            found += [(name, what) for what in refused(name, service, model, binaries)]
    return [(f"{path.name}, {name}", what) for name, what in found]


def wrong_with(name, service, asked):
    if service["image"].partition(":")[2] in ("", "latest"):
        yield f"image {service['image']}: name a version"
    for port in service.get("ports", []):
        if port.get("host_ip") != "127.0.0.1":
            yield f"port {port['target']} is open to other machines"
    if "healthcheck" not in service and f"http://{name}:" not in asked:
        yield "nobody asks for its health"


def refused(name, service, model, binaries):
    """Runs the binary with the service's settings."""
    with tempfile.TemporaryDirectory() as folder:
        variables = dict(service["environment"])
        for mount in service.get("configs", []):
            copy = Path(folder) / "settings.toml"
            copy.write_text(Path(model["configs"][mount["source"]]["file"]).read_text())
            variables = {key: str(copy) if value == mount["target"] else value for key, value in variables.items()}
        done = run(binaries / name, ["--print-config"], variables)
    if done.returncode:
        yield f"{name} refuses its settings: {done.stderr.strip()}"
        return
    settings = tomllib.loads(done.stdout)
    drain = settings["worker"]["drain_seconds"] if name == "activity-worker" else 0
    minutes, seconds = SECONDS.fullmatch(service.get("stop_grace_period", "10s")).groups(default="0")
    if int(minutes) * 60 + int(seconds) < drain + MARGIN[name]:
        yield f"stop_grace_period must be {drain + MARGIN[name]} s or more"


def versions_of(manifests):
    """Returns the version of each image of a set of manifests."""
    images = [container["image"] for _, _, spec in manifests.pods() for container in spec["containers"]]
    return dict(image.split(":") for image in images)


def problems(tools, binaries, manifests):
    found = dockerfile(REPO / "Dockerfile", tools / "hadolint")
    return found + compose(REPO / "compose.yaml", tools / "docker-compose", binaries, versions_of(manifests))
