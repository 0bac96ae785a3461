"""Rules for pods: what they may do, what they take, how they are asked for their health."""

import re

from manifests import WARREN, binary_of, environment, selects, where
from rules import rule

QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|Ki|Mi|Gi|Ti|k|M|G|T)?$")
SCALE = {None: 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def containers(overlay):
    for document, _, spec in overlay.manifests.pods():
        for container in spec["containers"] + spec.get("initContainers", []):
            yield f"{where(document)}, container {container['name']}", container, spec


@rule
def runs_as_nobody(overlay):
    """Pods run as a user that is not root, under the runtime's seccomp profile."""
    for document, _, spec in overlay.manifests.pods():
        context = spec.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield where(document), "runAsNonRoot must be true and runAsUser a user other than 0"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield where(document), "seccompProfile must be RuntimeDefault"


@rule
def may_do_nothing(overlay):
    """Containers gain no privileges, have no capabilities, and can't write into their image."""
    for place, container, _ in containers(overlay):
        context = container.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield place, "allowPrivilegeEscalation must be false, and nothing privileged"
        if context.get("readOnlyRootFilesystem") is not True:
            yield place, "readOnlyRootFilesystem must be true"
        capabilities = context.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            yield place, "capabilities: drop [ALL], and add none"


@rule
def keeps_from_the_host(overlay):
    """Pods see nothing of their node, of Kubernetes' API, or of Services that their settings don't name."""
    for document, _, spec in overlay.manifests.pods():
        place = where(document)
        if any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
            yield place, "the host's network, processes and IPC are not for pods"
        if any("hostPath" in volume for volume in spec.get("volumes", [])):
            yield place, "hostPath volumes are not for pods"
        if spec.get("automountServiceAccountToken") is not False:
            yield place, "automountServiceAccountToken must be false: nothing here asks Kubernetes"
        if spec.get("enableServiceLinks") is not False:
            yield place, "enableServiceLinks must be false: variables of Services are no settings"


@rule
def image_has_a_version(overlay):
    """Images are named by a version."""
    for place, container, _ in containers(overlay):
        image = container["image"]
        tag = image.rsplit("/", 1)[-1].partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest"):
            yield place, f"image {image}: name a version"


@rule
def resources_are_bounded(overlay):
    """Containers request and limit processor and memory, in quantities that Kubernetes reads."""
    for place, container, _ in containers(overlay):
        resources = container.get("resources", {})
        for what in ("cpu", "memory"):
            request, limit = (quantity(resources.get(kind, {}).get(what)) for kind in ("requests", "limits"))
            if request is None or limit is None:
                yield place, f"resources: {what} needs a request and a limit (like 250m, 64Mi)"
            elif request > limit:
                yield place, f"resources: {what} requests more than its limit"


def quantity(text):
    found = QUANTITY.match(str(text))
    return found and float(found[1]) * SCALE[found[2]]


@rule
def health_is_asked_for(overlay):
    """All three probes are there, and those of Warren's binaries ask its endpoints, at a port of the container."""
    for document, _, spec in overlay.manifests.pods():
        for container in spec["containers"]:
            place = f"{where(document)}, container {container['name']}"
            ports = {key for port in container.get("ports", []) for key in (port.get("name"), port["containerPort"])}
            for kind in PROBES:
                probe = container.get(kind, {})
                asked = probe.get("httpGet") or probe.get("tcpSocket") or {}
                wanted = "/health/ready" if kind == "readinessProbe" else "/health/live"
                if not asked and "exec" not in probe:
                    yield place, f"{kind} is missing"
                elif binary_of(container) in WARREN and asked.get("path") != wanted:
                    yield place, f"{kind} must ask {wanted}: a service that has lost its broker needs no restart"
                elif asked and asked["port"] not in ports:
                    yield place, f"{kind}: the container has no port {asked['port']}"


@rule
def pods_are_spread(overlay):
    """Warren's pods are spread over nodes and zones, by a selector of their own."""
    for document, labels, spec, _, _ in overlay.manifests.warren_pods():
        constraints = spec.get("topologySpreadConstraints", [])
        if {one["topologyKey"] for one in constraints} != {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}:
            yield where(document), "topologySpreadConstraints: over nodes and zones"
        for one in constraints:
            if not selects(one["labelSelector"], labels):
                yield where(document), f"topologySpreadConstraints: {one['topologyKey']} does not select its own pods"


@rule
def passwords_are_references(overlay):
    """No address with a password stands in a workload: it comes from a Secret."""
    for place, container, _ in containers(overlay):
        for name, entry in environment(container).items():
            if re.search(r"://[^/]*:[^/]*@", entry.get("value", "")) or ("PASS" in name and "value" in entry):
                yield place, f"{name} holds a password: refer to a Secret"
