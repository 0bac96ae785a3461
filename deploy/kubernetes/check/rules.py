"""What a rule is: a name, and a function that says where it is broken. `make k8s-check` runs all of them."""

RULES = {}


def rule(function):
    """Registers a rule; its docstring says what must be. It takes an `Overlay` and yields (place, what is wrong)."""
    RULES[function.__name__.replace("_", "-")] = function
    return function


class Overlay:
    """What rules look at: the manifests, the settings that each pod would run with, the queues that the worker's binary
    has activities for, and the Secrets that the documentation says are made elsewhere (name to keys)."""

    def __init__(self, manifests, settings, registered, external):
        self.manifests = manifests
        self.settings = settings
        self.registered = registered
        self.external = external


def problems(overlay, only=None):
    """Returns all that is wrong: (rule, place, what)."""
    return [
        (name, place, what)
        for name, check in RULES.items()
        if only is None or name == only
        for place, what in check(overlay)
    ]
