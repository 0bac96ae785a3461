"""Rendered manifests, and what rules ask of them. Knows nothing of any rule."""

import subprocess
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[3]
KUBERNETES = REPO / "deploy/kubernetes"
WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}
# Pods that an operator makes: the kind that it makes them of, and their labels.
OPERATED = {
    "RabbitmqCluster": lambda name: {"app.kubernetes.io/name": name},
    "Cluster": lambda name: {"cnpg.io/cluster": name},
}
WARREN = {"client-api", "orchestrator-svc", "activity-worker"}


class Manifests(list):
    """The documents of one overlay."""

    def of(self, *kinds):
        return [document for document in self if document["kind"] in kinds]

    def find(self, kind, name):
        return next((document for document in self.of(kind) if name_of(document) == name), None)

    def pods(self):
        """Returns each workload with the labels and the spec of its pods."""
        for document in self.of(*WORKLOADS):
            template = document["spec"]["template"]
            yield document, template["metadata"].get("labels", {}), template["spec"]

    def warren_pods(self):
        """Returns the pods that run a binary of Warren's: workload, labels, spec, container, binary."""
        for document, labels, spec in self.pods():
            for container in spec["containers"]:
                if (binary := binary_of(container)) in WARREN:
                    yield document, labels, spec, container, binary

    def pod_labels(self):
        """Returns the labels of all pods, those of operators included."""
        for _, labels, _ in self.pods():
            yield labels
        for kind, labels in OPERATED.items():
            yield from (labels(name_of(document)) for document in self.of(kind))


def render(overlay, kubectl):
    """Returns what Kustomize makes of a folder."""
    done = subprocess.run([kubectl, "kustomize", overlay], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{overlay}: kustomize: {done.stderr.strip()}")
    return parse(done.stdout)


def parse(text):
    return Manifests(document for document in yaml.safe_load_all(text) if document)


def name_of(document):
    return document["metadata"]["name"]


def where(document):
    return f"{document['kind']} {name_of(document)}"


def binary_of(container):
    """Returns the last part of the image's name, without registry and tag."""
    return container["image"].rsplit("/", 1)[-1].split(":")[0].split("@")[0]


def selects(selector, labels):
    """Says whether a label selector (`matchLabels` only, as ours are) selects pods with these labels."""
    wanted = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def environment(container):
    return {entry["name"]: entry for entry in container.get("env", [])}
