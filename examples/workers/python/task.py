"""What an activity's function is given, and what its worker says of it: the same for any client library."""
import asyncio
import contextlib
import json
import os
import socket
import time
import uuid

LEASE = int(os.environ.get("LEASE", 20))  # seconds: a worker that is silent for so long counts as lost
HOLD = int(os.environ.get("HOLD", 300))  # seconds: a work item is acknowledged once its activity has run for so long
GRACE = int(os.environ.get("GRACE", 20))  # seconds: what still runs so long after a SIGTERM is handed back
ALONE = int(os.environ.get("ALONE", 30))  # seconds: what may have killed a worker waits so long for others to end
SLOTS = [f"slot-{number}" for number in range(int(os.environ.get("AT_ONCE", 4)))]  # one activity each
NAME = f"{socket.gethostname()}-{os.getpid()}"
LIMITS = {"schedule-to-start-ms", "start-to-close-ms", "heartbeat-ms"}


class Failure(Exception):
    """Why an activity failed: programs go by the code, and no retry policy repeats what is not retryable."""

    def __init__(self, code, message, retryable=True):
        super().__init__(message)
        self.code, self.retryable = code, retryable


class Cancelled(BaseException):
    """Nobody waits for the task any more. No Exception: an activity that catches those shall let it pass."""


def is_work_item(properties):
    """Returns whether it is one: people try things out by hand."""
    return properties.correlation_id and properties.reply_to and "idempotency-key" in (properties.headers or {})


class Task:
    """One attempt of an activity."""

    def __init__(self, properties, body):
        headers = properties.headers
        self.token, self.owner, self.activity = properties.correlation_id, properties.reply_to, properties.type
        self.body, self.attempt, self.key = body, headers["attempt"], headers["idempotency-key"]
        self.traceparent = headers.get("traceparent")
        self.progress = json.loads(headers.get("progress", "null"))  # how far an earlier attempt had come
        self.has_limits = bool(LIMITS & headers.keys())
        self.delivery = self.slot = self.question = self.run = None
        self.end = None  # the type and the body of its reply; no type: nobody waits for one
        self.is_held = self.is_released = self.is_cancelled = self.has_news = False
        self.spoke = float("-inf")

    def beat(self, progress):
        """Says how far the activity has come, and ends it if nobody waits for it. Cheap: call it often."""
        self.progress, self.has_news = progress, True
        if self.is_cancelled:
            raise Cancelled

    def call(self, activities):
        """Calls the activity's function."""
        if self.activity not in activities:
            raise Failure("unknown_activity", f"this worker does not serve {self.activity}")
        return activities[self.activity](self, json.loads(self.body))

    @contextlib.contextmanager
    def ending(self):
        """Turns what the activity raises into its end."""
        try:
            yield
        except (Cancelled, asyncio.CancelledError):
            self.end = None, None
        except Exception as error:
            failure = error if isinstance(error, Failure) else Failure(type(error).__name__, str(error))
            said = {"code": failure.code, "message": str(failure), "retryable": failure.retryable}
            self.end = "failure", json.dumps({**said, "progress": self.progress})

    def deliver(self, delivery):
        """Its work item has come. If it comes again, another worker may run it or have answered: that is to be asked."""
        self.delivery, self.slot, self.is_released = delivery, delivery.consumer_tag, False
        self.question = uuid.uuid4().hex if delivery.redelivered and not self.run else None
        self.came = time.monotonic()

    def may_begin(self):
        return not (self.run or self.question or self.end)

    def begin(self, run):
        """Its activity begins. The first word is due at once if there are limits, else after a second."""
        self.run, self.began = run, time.monotonic()
        self.spoke = self.began - self.has_limits

    def word(self, is_alone):
        """Returns what its owner is to be told now, if anything: type, body, message id and headers."""
        pause = LEASE / 3 if self.is_held and not self.has_news else 1
        if self.is_cancelled or time.monotonic() < self.spoke + pause:
            return None
        self.spoke, headers = time.monotonic(), {"worker": NAME, "activity": self.activity}
        if self.question:
            headers["alone"] = is_alone or time.monotonic() > self.came + ALONE
            return "begin", "", self.question, headers
        headers.update({"lease-ms": LEASE * 1000, "workers": not self.has_news})
        self.has_news = False
        return "heartbeat", self.news(), None, headers

    def news(self):
        """Returns how far it has come, as the body of a word; empty, if nothing is known."""
        return "" if self.progress is None else json.dumps(self.progress)

    def hear(self, word, body, question):
        """Takes what its owner says."""
        if word == "held":
            self.is_held = True
        elif word == "cancel":
            self.is_cancelled = True
        elif question == self.question and word in ("go", "drop"):  # "wait", "alone": it is asked again
            self.question, self.progress = None, json.loads(body) if body else self.progress
            self.end = (None, None) if word == "drop" else None

    def is_due_for_release(self):
        """Returns whether to acknowledge its work item, before the broker takes it back."""
        return self.delivery and self.is_held and time.monotonic() > self.began + HOLD

    def release(self):
        """Its work item is acknowledged: from now on the lease alone says that it runs."""
        self.delivery, self.is_released = None, True


def lose_connection(tasks):
    """Forgets what is in hand but does not run: it comes again. Of the rest, nobody knows what was heard."""
    for task in list(tasks.values()):
        task.delivery, task.is_held = None, False
        if not task.run:
            del tasks[task.token]


def free_slots(tasks):
    """Returns the slots in which no work item runs that was acknowledged."""
    return [slot for slot in SLOTS if slot not in (task.slot for task in tasks.values() if task.is_released)]
