"""Rules for what scales, and for the queues: those that are named must be declared, served, and long enough held."""

import re

from manifests import name_of, where
from rules import rule

# RabbitMQ's own, in seconds: what is held longer goes to another worker.
CONSUMER_TIMEOUT = 1800
# What counts what runs.
RUNNING = "warren_activities_running"
# How long a binary may take to end after what its settings say, in seconds.
MARGIN = {"client-api": 5 + 20 + 5, "orchestrator-svc": 20 + 10 + 5, "activity-worker": 10}


def scalers(overlay):
    return overlay.manifests.of("HorizontalPodAutoscaler", "ScaledObject")


def workers(overlay):
    """Yields each Deployment of workers with its settings."""
    for document, _, spec, _, binary in overlay.manifests.warren_pods():
        if binary == "activity-worker":
            yield document, spec, overlay.settings[name_of(document)]


def served(overlay, settings):
    """Returns the full names of the queues that a worker with these settings serves."""
    names = settings["worker"]["queues"] or overlay.registered
    return {f"{settings['hub']['name']}.work.{lane}" for name in names for lane in lanes(name, settings.get("queues", {}))}


def lanes(name, rules):
    """Yields the queues that hold a queue's work items, as its rules say."""
    rules = rules.get(name, {})
    for priority in ("", "~high", "~low") if rules.get("priorities") else ("",):
        yield name + priority
        yield from (f"{name}{priority}~{number}" for number in range(1, rules.get("lanes", 0) + 1))


def limits(rules):
    """Returns whether a queue with these rules has a limit or a rate, and whether it has a baton for it."""
    whole = rules.get("limit") or rules.get("per_minute")
    each = rules.get("lane_limit") or rules.get("lane_per_minute")
    has_priorities = rules.get("priorities", False)
    return bool(whole or each), bool((whole and (rules.get("lanes") or has_priorities)) or (each and has_priorities))


def batons(overlay, settings):
    """Returns the full names of the batons' queues that a worker with these settings consumes."""
    names = settings["worker"]["queues"] or overlay.registered
    return {f"{settings['hub']['name']}.limit.{name}" for name in names if limits(settings.get("queues", {}).get(name, {}))[1]}


def places(overlay):
    """Yields the full names of the queues that keep the places of streams."""
    for settings in overlay.settings.values():
        for name, binding in settings.get("bindings", {}).items():
            if binding["kind"] == "stream":
                yield f"{settings['hub']['name']}.binding.{name}"


def single(overlay):
    """Yields the full names of the queues that must have a single active consumer."""
    yield from places(overlay)
    for _, _, settings in workers(overlay):
        hub = settings["hub"]["name"]
        yield f"{hub}.ingress"
        yield from batons(overlay, settings)
        for name, rules in settings.get("queues", {}).items():
            if limits(rules)[0]:
                yield from (f"{hub}.work.{lane}" for lane in lanes(name, settings["queues"]))


def is_of_queue(trigger):
    return trigger["type"] == "rabbitmq"


def declared(overlay):
    return {queue["spec"]["name"] for queue in overlay.manifests.of("Queue")}


@rule
def scaled_deployments_have_one_scaler(overlay):
    """What scales exists, has one scaler, and no fixed number of replicas that would fight with it."""
    seen = set()
    for scaler in scalers(overlay):
        name = scaler["spec"]["scaleTargetRef"]["name"]
        target = overlay.manifests.find("Deployment", name)
        if target is None:
            yield where(scaler), f"there is no Deployment {name}"
        elif "replicas" in target["spec"]:
            yield where(target), f"spec.replicas is fixed, and {where(scaler)} scales it"
        if name in seen:
            yield where(scaler), f"Deployment {name} has another scaler already"
        seen.add(name)


@rule
def triggers_are_whole(overlay):
    """A ScaledObject has triggers, in text. One on a queue counts by HTTP (what workers hold as well) and may ask the broker;
    one on what runs asks for its own kind's."""
    for scaler in overlay.manifests.of("ScaledObject"):
        if not scaler["spec"]["triggers"]:
            yield where(scaler), "has no trigger"
        for trigger in scaler["spec"]["triggers"]:
            metadata = trigger["metadata"]
            wrong = [key for key, value in metadata.items() if not isinstance(value, str)]
            if wrong:
                yield where(scaler), f"{', '.join(wrong)}: KEDA takes text only"
            if trigger["type"] == "prometheus":
                kind = scaler["metadata"]["labels"].get("app.kubernetes.io/component")
                if f'{RUNNING}{{app_kubernetes_io_component="{kind}"}}' not in metadata.get("query", ""):
                    yield where(scaler), f"query must be of {RUNNING} of the kind {kind}"
                continue
            if (metadata.get("protocol"), metadata.get("mode")) != ("http", "QueueLength"):
                yield where(scaler), "protocol must be http, mode QueueLength: amqp would not count what workers hold"
            if not overlay.manifests.find("TriggerAuthentication", trigger.get("authenticationRef", {}).get("name")):
                yield where(scaler), "authenticationRef names no TriggerAuthentication that is here"


@rule
def scaled_queues_are_those_that_are_served(overlay):
    """A ScaledObject has a trigger for each queue that its workers serve, for no other; if queues are declared here, each
    is."""
    for scaler in overlay.manifests.of("ScaledObject"):
        queues = {trigger["metadata"]["queueName"] for trigger in scaler["spec"]["triggers"] if is_of_queue(trigger)}
        for queue in sorted(queues - declared(overlay)) if declared(overlay) else ():
            yield where(scaler), f"nobody declares the queue {queue}"
        for document, _, settings in workers(overlay):
            if name_of(document) == scaler["spec"]["scaleTargetRef"]["name"] and queues != served(overlay, settings):
                yield where(scaler), f"names {sorted(queues)}, its workers serve {sorted(served(overlay, settings))}"


@rule
def a_pod_takes_what_its_trigger_says(overlay):
    """A trigger's value is what one pod runs at a time."""
    for document, _, settings in workers(overlay):
        for scaler in overlay.manifests.of("ScaledObject"):
            if scaler["spec"]["scaleTargetRef"]["name"] == name_of(document):
                for trigger in scaler["spec"]["triggers"]:
                    value = trigger["metadata"]["value" if is_of_queue(trigger) else "threshold"]
                    if value != str(settings["worker"]["concurrency"]):
                        yield where(scaler), f"value of {trigger['name']}: worker.concurrency is another"


@rule
def long_work_is_counted_while_it_runs(overlay):
    """A kind whose drain says that its work takes long is also scaled by what runs: that is in no queue for ever."""
    for document, _, settings in workers(overlay):
        for scaler in overlay.manifests.of("ScaledObject"):
            if scaler["spec"]["scaleTargetRef"]["name"] == name_of(document):
                drain, hold = settings["worker"]["drain_seconds"], settings["worker"]["hold_seconds"]
                if drain >= hold and all(is_of_queue(trigger) for trigger in scaler["spec"]["triggers"]):
                    yield where(scaler), f"worker.drain_seconds {drain}: what runs longer than {hold} s needs a trigger"


@rule
def every_activity_is_served(overlay):
    """Each queue of the stock worker's activities is served by some worker, and no worker serves one it has none for."""
    names = {name for _, _, settings in workers(overlay) for name in settings["worker"]["queues"] or overlay.registered}
    for name in sorted(set(overlay.registered) - names):
        yield "the overlay", f"no worker serves the queue {name}"
    for name in sorted(names - set(overlay.registered)):
        yield "the overlay", f"worker.queues names {name}, and the binary has no activity for it"


@rule
def topology_is_whole(overlay):
    """If queues are declared here, all that the hub needs are, and what hangs on them is kept when they are deleted."""
    if not overlay.manifests.of("Queue"):
        return
    settings = next(iter(overlay.settings.values()))
    hub = settings["hub"]["name"]
    wanted = {f"{hub}.dead", f"{hub}.ingress"} | {f"{hub}.control.{n:02}" for n in range(settings["hub"]["partitions"])}
    wanted |= set(places(overlay))
    for _, _, of_worker in workers(overlay):
        wanted |= served(overlay, of_worker) | batons(overlay, of_worker)
    for queue in sorted(wanted ^ declared(overlay)):
        yield "the overlay", f"queue {queue} is " + ("not declared" if queue in wanted else "declared and nobody's")
    for document in overlay.manifests.of("Queue", "Vhost"):
        if document["spec"].get("deletionPolicy") != "retain":
            yield where(document), "deletionPolicy must be retain: with it would go what is in it"


@rule
def queues_have_as_many_active_consumers_as_they_may(overlay):
    """The ingress, a queue with a limit, its lanes and its baton have a single active consumer, and no other queue."""
    wanted = set(single(overlay))
    for queue in overlay.manifests.of("Queue"):
        name, is_single = queue["spec"]["name"], queue["spec"]["arguments"].get("x-single-active-consumer", False)
        if is_single != (name in wanted):
            yield where(queue), f"{name} must have {'a' if name in wanted else 'no'} single active consumer"


@rule
def topology_names_what_is_here(overlay):
    """Permissions name users, and everything of the broker names a cluster, that are here."""
    for document in overlay.manifests:
        spec = document.get("spec", {})
        if (user := spec.get("userReference")) and not overlay.manifests.find("User", user["name"]):
            yield where(document), f"there is no User {user['name']}"
        cluster = spec.get("rabbitmqClusterReference")
        if cluster and not overlay.manifests.find("RabbitmqCluster", cluster["name"]):
            yield where(document), f"there is no RabbitmqCluster {cluster['name']}"


@rule
def no_more_owners_than_partitions(overlay):
    """orchestrator-svc never has more replicas than the hub has partitions."""
    for scaler in scalers(overlay):
        name = scaler["spec"]["scaleTargetRef"]["name"]
        if name == "orchestrator-svc" and (most := scaler["spec"]["maxReplicas"]) > (
            partitions := overlay.settings[name]["hub"]["partitions"]
        ):
            yield where(scaler), f"maxReplicas {most} is more than hub.partitions {partitions}"


@rule
def the_alert_knows_the_partitions(overlay):
    """The alert for partitions without an owner counts to hub.partitions."""
    for document in overlay.manifests.of("PrometheusRule"):
        for alert in (alert for group in document["spec"]["groups"] for alert in group["rules"]):
            counts = re.search(r"sum\(warren_partitions_owned\).*< ([0-9]+)", alert["expr"])
            partitions = next(iter(overlay.settings.values()))["hub"]["partitions"]
            if counts and int(counts[1]) != partitions:
                yield where(document), f"{alert['alert']} counts to {counts[1]}, hub.partitions is {partitions}"


@rule
def pods_may_drain(overlay):
    """A pod has the time that its binary may take to drain."""
    for document, _, spec, _, binary in overlay.manifests.warren_pods():
        drain = overlay.settings[name_of(document)]["worker"]["drain_seconds"] if binary == "activity-worker" else 0
        if spec.get("terminationGracePeriodSeconds", 30) < drain + MARGIN[binary]:
            yield where(document), f"terminationGracePeriodSeconds must be {drain + MARGIN[binary]} or more"


@rule
def the_broker_waits_as_long_as_a_drain(overlay):
    """A queue whose workers may hold an item longer than RabbitMQ's half an hour has a policy that lets them."""
    if not overlay.manifests.of("Queue"):
        return
    for document, spec, settings in workers(overlay):
        if (seconds := spec["terminationGracePeriodSeconds"]) <= CONSUMER_TIMEOUT:
            continue
        for queue in sorted(served(overlay, settings)):
            matching = [p["spec"] for p in overlay.manifests.of("Policy") if re.search(p["spec"]["pattern"], queue)]
            holds = max(matching, key=lambda policy: policy.get("priority", 0), default={"definition": {}})
            if holds["definition"].get("consumer-timeout", 0) < seconds * 1000:
                yield where(document), f"queue {queue} needs a policy with a consumer-timeout of {seconds * 1000} or more"


@rule
def addresses_and_ports_agree(overlay):
    """The port that a binary listens at, on all addresses, is the one that its container names."""
    for document, _, _, container, binary in overlay.manifests.warren_pods():
        settings = overlay.settings[name_of(document)]
        address = {
            "client-api": settings["client_api"]["listen"],
            "orchestrator-svc": settings["health"]["orchestrator"],
            "activity-worker": settings["health"]["worker"],
        }[binary]
        if [address] != [f"0.0.0.0:{port['containerPort']}" for port in container.get("ports", [])]:
            yield where(document), f"listens at {address}, and its container names another port"
