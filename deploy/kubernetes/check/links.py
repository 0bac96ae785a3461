"""Rules for what refers to what: names that must exist, selectors that must select."""

from manifests import environment, name_of, selects, where
from rules import rule

CLUSTER_WIDE = {"Namespace"}


@rule
def names_are_unique(overlay):
    """No two documents have one kind and name, and all are in one namespace that is there."""
    seen, spaces = set(), {name_of(document) for document in overlay.manifests.of("Namespace")}
    for document in overlay.manifests:
        key = (document["apiVersion"], document["kind"], name_of(document))
        if key in seen:
            yield where(document), "is there twice"
        seen.add(key)
        if document["kind"] not in CLUSTER_WIDE and document["metadata"].get("namespace") not in spaces:
            yield where(document), "is not in the overlay's namespace"


@rule
def workload_selects_its_own_pods_alone(overlay):
    """A workload's selector selects its own pods, and those of no other."""
    for document, own, _ in overlay.manifests.pods():
        selector = document["spec"]["selector"]
        if not selects(selector, own):
            yield where(document), "the selector does not select its own pods"
        for other, labels, _ in overlay.manifests.pods():
            if other is not document and selects(selector, labels):
                yield where(document), f"the selector selects pods of {where(other)} too"


@rule
def selectors_select(overlay):
    """Services, network policies, disruption budgets and monitors select pods (or Services) that exist."""
    pods = list(overlay.manifests.pod_labels())
    for document in overlay.manifests.of("Service", "NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "ServiceMonitor"):
        kind, spec = document["kind"], document["spec"]
        if kind == "Service":
            selector = {"matchLabels": spec.get("selector", {})}
        else:
            selector = spec["podSelector"] if kind == "NetworkPolicy" else spec["selector"]
        wanted = pods
        if kind == "ServiceMonitor":
            wanted = [service["metadata"].get("labels", {}) for service in overlay.manifests.of("Service")]
        if not any(selects(selector, labels) for labels in wanted):
            yield where(document), "selects nothing that is here"


@rule
def ports_exist(overlay):
    """Ports that are named by Services, network policies and monitors are ports of the containers behind them."""
    for document in overlay.manifests.of("Service", "NetworkPolicy", "PodMonitor", "ServiceMonitor"):
        for selector, port in named_ports(document):
            have = {
                named.get("name")
                for _, labels, spec in overlay.manifests.pods()
                if selects(selector, labels)
                for container in spec["containers"]
                for named in container.get("ports", [])
            }
            if document["kind"] == "ServiceMonitor":
                services = overlay.manifests.of("Service")
                found = [s for s in services if selects(selector, s["metadata"].get("labels", {}))]
                have = {named.get("name") for service in found for named in service["spec"]["ports"]}
            if have and port not in have:
                yield where(document), f"no container (or Service) behind it has a port {port}"


def named_ports(document):
    """Yields the selector and the name of each port that is named, for pods that may be here."""
    kind, spec = document["kind"], document["spec"]
    if kind == "Service":
        ports, selector = [port["targetPort"] for port in spec["ports"]], {"matchLabels": spec["selector"]}
    elif kind == "NetworkPolicy":
        ports = [port["port"] for way in spec.get("ingress", []) for port in way.get("ports", [])]
        selector = spec["podSelector"]
    else:
        ports = [one["port"] for one in spec.get("podMetricsEndpoints", []) + spec.get("endpoints", [])]
        selector = spec["selector"]
    yield from ((selector, port) for port in ports if isinstance(port, str))


@rule
def references_exist(overlay):
    """ConfigMaps, Secrets (with their keys) and ServiceAccounts exist here, or docs/kubernetes.md says who makes them."""
    for document, kind, name, key in references(overlay.manifests):
        found = overlay.manifests.find(kind, name)
        keys = {} if found is None else {**found.get("data", {}), **found.get("stringData", {})}
        outside = overlay.external.get(name) if kind == "Secret" else None
        if found is None and outside is None:
            yield where(document), f"{kind} {name} is neither here nor in docs/kubernetes.md"
        elif key is not None and key not in (outside if found is None else keys):
            yield where(document), f"{kind} {name} has no key {key}"


def references(manifests):
    for document, _, spec in manifests.pods():
        if "serviceAccountName" in spec:
            yield document, "ServiceAccount", spec["serviceAccountName"], None
        for volume in spec.get("volumes", []):
            if "configMap" in volume:
                yield document, "ConfigMap", volume["configMap"]["name"], None
            if "secret" in volume:
                yield document, "Secret", volume["secret"]["secretName"], None
        for container in spec["containers"]:
            for entry in environment(container).values():
                source = entry.get("valueFrom", {})
                for kind, ref in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
                    if ref in source:
                        yield document, kind, source[ref]["name"], source[ref]["key"]
    for document in manifests.of("TriggerAuthentication"):
        for ref in document["spec"].get("secretTargetRef", []):
            yield document, "Secret", ref["name"], ref["key"]
    for document in manifests.of("User"):
        for key in ("username", "password"):
            yield document, "Secret", document["spec"]["importCredentialsSecret"]["name"], key


@rule
def accounts_have_no_token(overlay):
    """Each workload of Warren's has a ServiceAccount of its own, and none mounts a token."""
    seen = set()
    for document, _, spec, _, _ in overlay.manifests.warren_pods():
        if (account := spec.get("serviceAccountName")) is None or account in seen:
            yield where(document), "needs a ServiceAccount of its own"
        seen.add(account)
    for document in overlay.manifests.of("ServiceAccount"):
        if document.get("automountServiceAccountToken") is not False:
            yield where(document), "automountServiceAccountToken must be false"


@rule
def each_has_one_disruption_budget(overlay):
    """Each workload of Warren's has one disruption budget, and it lets somebody go."""
    budgets = overlay.manifests.of("PodDisruptionBudget")
    for document, labels, _, _, _ in overlay.manifests.warren_pods():
        own = [budget for budget in budgets if selects(budget["spec"]["selector"], labels)]
        if len(own) != 1:
            yield where(document), f"{len(own)} disruption budgets select its pods, must be one"
        elif own[0]["spec"].get("maxUnavailable") != 1:
            yield where(own[0]), "maxUnavailable must be 1: minAvailable keeps a node from being emptied"


@rule
def network_is_closed(overlay):
    """Everything is denied by default; who uses broker or database says so by a label, and nobody else does."""
    denies = [p for p in overlay.manifests.of("NetworkPolicy") if p["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}]
    if not denies:
        yield "the overlay", "has no network policy that denies everything"
    for document, labels, _, container, _ in overlay.manifests.warren_pods():
        have = environment(container)
        for label, names in (("uses-broker", ["WARREN_BROKER__URL"]), ("uses-database", ["WARREN_STORE__URL", "WARREN_PAYLOADS__STORE"])):
            if (labels.get(label) == "yes") != any(name in have for name in names):
                yield where(document), f"label {label} and variable {' or '.join(names)} go together"
