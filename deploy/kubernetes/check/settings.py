"""What each pod would run with: its ConfigMap and its environment, read by the real binaries."""

import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

from manifests import environment, name_of, where

# Stands in for what comes from Secrets.
ADDRESSES = {
    "WARREN_BROKER__URL": "amqp://user:password@broker:5672/vhost",
    "WARREN_STORE__URL": "postgres://user:password@database:5432/warren",
    "WARREN_PAYLOADS__STORE": "postgres://user:password@database:5432/warren",
}


def effective(manifests, binaries):
    """Returns the settings of each Deployment of Warren's, and what its binary refuses: (place, what)."""
    found, refused = {}, []
    for document, _, spec, container, binary in manifests.warren_pods():
        with tempfile.TemporaryDirectory() as folder:
            try:
                variables = variables_of(manifests, spec, container, Path(folder))
            except KeyError as missing:
                refused.append((where(document), f"there is no {missing.args[0]}"))
                continue
            done = run(binaries / binary, ["--print-config", *container.get("args", [])], variables)
        if done.returncode:
            refused.append((where(document), f"{binary} refuses its settings: {done.stderr.strip()}"))
        else:
            found[name_of(document)] = tomllib.loads(done.stdout)
    return found, refused


def variables_of(manifests, spec, container, folder):
    """Writes the files that are mounted into `folder`; returns the environment, with the paths changed accordingly."""
    moved = {}
    for mount in container.get("volumeMounts", []):
        volume = next(volume for volume in spec["volumes"] if volume["name"] == mount["name"])
        if "configMap" in volume:
            name = volume["configMap"]["name"]
            config = manifests.find("ConfigMap", name)
            if config is None:
                raise KeyError(f"ConfigMap {name}")
            for file, text in config["data"].items():
                (folder / file).write_text(text)
                moved[f"{mount['mountPath']}/{file}"] = str(folder / file)
    variables = {}
    for name, entry in environment(container).items():
        variables[name] = moved.get(entry["value"], entry["value"]) if "value" in entry else ADDRESSES.get(name, "")
    return variables


def registered(binaries):
    """Returns the queues of the activities that the worker's binary has: it names them when asked for another."""
    done = run(binaries / "activity-worker", ["--set", "worker.queues=no-such-queue"], {})
    named = re.search(r"those that have one: (.*)", done.stderr)
    if done.returncode == 0 or not named:
        raise SystemExit(f"activity-worker does not name its queues: {done.stderr.strip()}")
    return named[1].split(", ")


def sample(path, binaries):
    """Returns what the binaries refuse of a file of settings: (place, what)."""
    refused = []
    for binary in ("client-api", "orchestrator-svc", "activity-worker"):
        done = run(binaries / binary, ["--config", str(path), "--print-config"], {})
        if done.returncode:
            refused.append((str(path), f"{binary} refuses it: {done.stderr.strip()}"))
    return refused


def run(binary, arguments, variables):
    # Not in the repository: a warren.toml in the working folder would be read too.
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([binary, *arguments], env=variables, cwd=folder, capture_output=True, text=True, timeout=20)
