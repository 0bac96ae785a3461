"""Tries overlays/production against a real RabbitMQ: declares there what the Topology Operator would, runs the binaries as
the users that the manifests name, with no more permissions than theirs, and has orchestrations end.

usage: python deploy/kubernetes/check/broker.py --tools FOLDER --binaries FOLDER

Starts a RabbitMQ 4 of the repository's own (deploy/local/rabbitmq) and removes it afterwards.
"""

import argparse
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from alerts import metrics_of_others  # noqa: E402
from fleet import Fleet, free_port, wait_until  # noqa: E402
from http_api import Api, get  # noqa: E402
from manifests import KUBERNETES, REPO, name_of, render  # noqa: E402

HUB = "warren"
ORDER = {
    "id": "order-7",
    "customer": "customer-7",
    "country": "PT",
    "card": "tok_visa",
    "items": [{"sku": "bo-501", "name": "Alice in Wonderland", "kind": "book", "quantity": 2, "unit_price_cents": 2490}],
}
NODE = {"WARREN_RABBITMQ": "4", "WARREN_RABBITMQ_NAME": "k8s", "RABBITMQ_ENABLED_PLUGINS": "rabbitmq_management,rabbitmq_prometheus"}
# Together they use every kind of worker: what is started, with what, and a part of what must come out.
STARTS = [
    ("hello", "Alice", "Alice"),
    ("volume", {"length": 2, "width": 3, "height": 4}, '"litres":24000.0'),
    ("fan_out", {"chunks": 8}, "words"),
    ("order", ORDER, "order-7"),
]


# Another system's stream in the hub's vhost, and what is added to the manifests for it (docs/kubernetes.md, Bindings).
STREAM = "shop.boxes"
BINDING = f"""
[bindings.boxes]
kind = "stream"
queue = "{STREAM}"
from = "first"
start = "volume"
instance = "{{/id}}"
input = "/box"
"""


def rabbitmq(command):
    script = REPO / "deploy/local/rabbitmq"
    done = subprocess.run([script, command], env={**os.environ, **NODE}, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


class Node:
    """A RabbitMQ with its HTTP API and its metrics, on this machine alone."""

    def __enter__(self):
        rabbitmq("remove")
        self.http, self.metrics = free_port(), free_port()
        folder = Path(rabbitmq("folder")) / "conf.d"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "10-http.conf").write_text(
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.http}\n"
            f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {self.metrics}\n"
        )
        self.address = rabbitmq("ensure").removeprefix("amqp://guest:guest@").removesuffix("/%2f")
        self.api = Api(f"http://127.0.0.1:{self.http}/api", "guest", "guest")
        wait_until("the HTTP API of RabbitMQ answers", lambda: self.api.answers())
        return self

    def __exit__(self, *_):
        rabbitmq("remove")


def declare(api, manifests, passwords):
    """Does what the Topology Operator does with the manifests."""
    for vhost in manifests.of("Vhost"):
        api.put(f"/vhosts/{vhost['spec']['name']}", {"default_queue_type": vhost["spec"]["defaultQueueType"]})
    for user in manifests.of("User"):
        tags = ",".join(user["spec"].get("tags", []))
        api.put(f"/users/{name_of(user)}", {"password": passwords[name_of(user)], "tags": tags})
    for spec in specs(manifests, "Permission"):
        api.put(f"/permissions/{spec['vhost']}/{spec['userReference']['name']}", spec["permissions"])
    for spec in specs(manifests, "Exchange"):
        api.put(f"/exchanges/{spec['vhost']}/{spec['name']}", {"type": spec["type"], "durable": spec["durable"]})
    for spec in specs(manifests, "Queue"):
        arguments = {"x-queue-type": spec["type"], **spec["arguments"]}
        api.put(f"/queues/{spec['vhost']}/{spec['name']}", {"durable": spec["durable"], "arguments": arguments})
    for spec in specs(manifests, "Binding"):
        place = f"/bindings/{spec['vhost']}/e/{spec['source']}/q/{spec['destination']}"
        api.post(place, {"routing_key": spec["routingKey"]})
    for spec in specs(manifests, "Policy"):
        body = {"pattern": spec["pattern"], "apply-to": spec["applyTo"], "priority": spec["priority"], "definition": spec["definition"]}
        api.put(f"/policies/{spec['vhost']}/{spec['name']}", body)


def bind(manifests):
    """Adds the binding to the settings of every pod, the queue of its place, and the permissions to read the stream."""
    for document in manifests.of("ConfigMap"):
        if "warren.toml" in document.get("data", {}):
            document["data"]["warren.toml"] += BINDING
    place = copy.deepcopy(manifests.find("Queue", "ingress"))
    place["metadata"]["name"], place["spec"]["name"] = "binding-boxes", f"{HUB}.binding.boxes"
    manifests.append(place)
    for user in ("client-api", "orchestrator-svc"):
        permissions = manifests.find("Permission", user)["spec"]["permissions"]
        permissions["read"] = f"({permissions['read']})|^{re.escape(STREAM)}$"


def a_stream_starts_orchestrations(node, fleet):
    """One of the two services reads, as its user; what is published starts an instance."""
    body = json.dumps({"id": "by-stream", "box": {"length": 2, "width": 3, "height": 4}})
    message = {"properties": {}, "routing_key": STREAM, "payload": body, "payload_encoding": "string"}
    node.api.post(f"/exchanges/{HUB}/amq.default/publish", message)
    wait_until("the stream starts an instance", lambda: "24000" in fleet.ask("client-api", "/api/v1/instances/by-stream")[1])
    for name in ("client-api", "orchestrator-svc"):
        wait_until(f"{name} takes the stream", lambda: '"bindings":"ok"' in fleet.ask(name, "/health/ready")[1])
    print("  a stream starts orchestrations, and both services may read it")


def specs(manifests, kind):
    return [document["spec"] for document in manifests.of(kind)]


def runs_with_least_privilege(node, manifests, binaries, passwords, folder):
    """All pods become ready, as the users of the manifests, and orchestrations end."""
    users = {binary: f"amqp://{binary}:{passwords[binary]}@{node.address}/{HUB}" for binary in passwords}
    with Fleet(manifests, binaries, users, folder) as fleet:
        fleet.await_ready()
        for orchestrator, body, result in STARTS:
            answer = fleet.run(orchestrator, body)
            assert result in answer, f"{orchestrator} ended with {answer}"
            print(f"  {orchestrator}: {answer[:60]} …")
        a_stream_starts_orchestrations(node, fleet)
        # The node counts consumers now and then.
        wait_until("every queue but the dead one is consumed", lambda: unconsumed(node) == [f"{HUB}.dead"])
        keda = Api(f"http://127.0.0.1:{node.http}/api", "keda", passwords["keda"])
        for scaler in manifests.of("ScaledObject"):
            for trigger in (trigger for trigger in scaler["spec"]["triggers"] if trigger["type"] == "rabbitmq"):
                assert "messages" in keda.get(f"/queues/{HUB}/{trigger['metadata']['queueName']}")
        print("  every queue is consumed, but the dead one; KEDA's user reads the lengths that it is told to")
    fleet.assert_never("ACCESS_REFUSED|access to .* refused|can't be declared|has other arguments")


def unconsumed(node):
    return [queue["name"] for queue in node.api.get(f"/queues/{HUB}") if not queue.get("consumers")]


def arguments_are_warrens_own(node, manifests, binaries, folder):
    """Binaries that may declare find every queue as they would have made it."""
    node.api.put(f"/permissions/{HUB}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    users = {binary: f"amqp://guest:guest@{node.address}/{HUB}" for binary in ("client-api", "orchestrator-svc", "activity-worker")}
    with Fleet(manifests, binaries, users, folder) as fleet:
        fleet.await_ready()
    fleet.assert_never("has other arguments|is not as expected")
    print("  binaries that may declare find no queue that differs")


def metrics_exist(node, manifests):
    """RabbitMQ exports what alerts and the dashboard ask for, where the PodMonitor asks for it."""
    text = ""
    for endpoint in manifests.find("PodMonitor", "warren-rabbitmq")["spec"]["podMetricsEndpoints"]:
        query = "&".join(f"{key}={value}" for key, values in endpoint.get("params", {}).items() for value in values)
        text += get(f"http://127.0.0.1:{node.metrics}{endpoint['path']}?{query}")
    have = set(re.findall(r"^(rabbitmq_[a-z0-9_]+)", text, re.MULTILINE))
    missing = {name for name in metrics_of_others() if name.startswith("rabbitmq_")} - have
    assert not missing, f"RabbitMQ does not export {missing}"
    print(f"  all {len(metrics_of_others() & have)} metrics of RabbitMQ that are asked for are exported")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--binaries", type=Path, required=True)
    arguments = parser.parse_args()
    manifests = render(KUBERNETES / "overlays/production", arguments.tools.resolve() / "kubectl")
    binaries = arguments.binaries.resolve()
    passwords = {name_of(user): os.urandom(12).hex() for user in manifests.of("User")}
    with Node() as node, tempfile.TemporaryDirectory() as folder:
        bind(manifests)
        declare(node.api, manifests, passwords)
        node.api.put(f"/queues/{HUB}/{STREAM}", {"durable": True, "arguments": {"x-queue-type": "stream"}})
        runs_with_least_privilege(node, manifests, binaries, passwords, Path(folder) / "least")
        metrics_exist(node, manifests)
        arguments_are_warrens_own(node, manifests, binaries, Path(folder) / "declaring")


if __name__ == "__main__":
    main()
