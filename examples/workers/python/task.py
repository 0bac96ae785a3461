"""What an activity's function is given, and what its worker says of it: for any client library."""
import asyncio
import contextlib
import json
import os
import socket
import time
import uuid


def setting(name, usual):
    return int(os.environ.get(name, usual))


# In seconds:
LEASE = setting("LEASE", 20)  # a worker that is silent for so long counts as lost
HOLD = setting("HOLD", 300)  # a work item is acknowledged once its activity has run for so long
GRACE = setting("GRACE", 20)  # what still runs so long after a SIGTERM is handed back
ALONE = setting("ALONE", 30)  # what may have killed a worker waits so long for others to end

SLOTS = [f"slot-{number}" for number in range(setting("AT_ONCE", 4))]  # one activity each
NAME = f"{socket.gethostname()}-{os.getpid()}"
LIMITS = {"schedule-to-start-ms", "start-to-close-ms", "heartbeat-ms"}


class Failure(Exception):
    """Why an activity failed. Programs go by the code; what is not retryable is not tried again."""

    def __init__(self, code, message, retryable=True):
        super().__init__(message)
        self.code, self.retryable = code, retryable


class Cancelled(BaseException):
    """Nobody waits for the task any more. No Exception: who catches those shall let it pass."""


class Task:
    """One attempt of an activity."""

    def __init__(self, properties, body):
        headers = properties.headers
        self.token, self.owner = properties.correlation_id, properties.reply_to
        self.activity = properties.type
        self.body, self.attempt, self.key = body, headers["attempt"], headers["idempotency-key"]
        self.traceparent = headers.get("traceparent")
        self.progress = json.loads(headers.get("progress", "null"))  # of an earlier attempt
        self.has_limits = bool(LIMITS & headers.keys())
        self.delivery = self.slot = self.question = self.began = None
        self.interrupt = None  # ends the activity where it waits, if the client library can
        self.end = None  # the type and the body of its reply; no type: nobody waits for one
        self.is_held = self.is_released = self.is_cancelled = self.has_news = False
        self.spoke = float("-inf")

    def beat(self, progress):
        """Says how far the activity has come, and ends it if nobody waits. Cheap: call it often."""
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
            code, retryable = type(error).__name__, True
            if isinstance(error, Failure):
                code, retryable = error.code, error.retryable
            said = {"code": code, "message": str(error), "retryable": retryable}
            self.end = "failure", json.dumps({**said, "progress": self.progress})

    def deliver(self, delivery):
        """Its work item has come. If not for the first time, another worker may run it: ask."""
        self.delivery, self.slot, self.is_released = delivery, delivery.consumer_tag, False
        self.question = uuid.uuid4().hex if delivery.redelivered and not self.began else None
        self.came = time.monotonic()

    def may_begin(self):
        return not (self.began or self.question or self.end)

    def begin(self):
        """Its activity begins. The first word is due at once if there are limits."""
        self.began = time.monotonic()
        self.spoke = self.began - self.has_limits

    def word(self, is_alone):
        """Returns what its owner is to be told now: type, body, headers and message id."""
        pause = LEASE / 3 if self.is_held and not self.has_news else 1
        if self.is_cancelled or time.monotonic() < self.spoke + pause:
            return None
        self.spoke, headers = time.monotonic(), {"worker": NAME, "activity": self.activity}
        if self.question:
            headers["alone"] = is_alone or time.monotonic() > self.came + ALONE
            return "begin", "", headers, self.question
        headers.update({"lease-ms": LEASE * 1000, "workers": not self.has_news})
        self.has_news = False
        return "heartbeat", self.news(), headers

    def news(self):
        """Returns how far it has come, as the body of a word; empty, if nothing is known."""
        return "" if self.progress is None else json.dumps(self.progress)

    def hear(self, word, body, question):
        """Takes what its owner says."""
        if word == "held":
            self.is_held = True
        elif word == "cancel":
            self.is_cancelled = True
            if self.interrupt:
                self.interrupt()
        elif question == self.question and word in ("go", "drop"):  # after others it is asked again
            self.question, self.progress = None, json.loads(body) if body else self.progress
            self.end = (None, None) if word == "drop" else None

    def is_due_for_release(self):
        """Returns whether to acknowledge its work item, before the broker takes it back."""
        return self.delivery and self.is_held and time.monotonic() > self.began + HOLD

    def release(self):
        """Its work item is acknowledged: from now on the lease alone says that it runs."""
        self.delivery, self.is_released = None, True
