"""The life of a worker, step by step: the same for any client library, which takes the steps."""
import time

from task import GRACE, SLOTS, Task

WORDS = "amq.rabbitmq.reply-to"  # where the owners of what runs can say something


class Worker:
    """What a worker runs. It outlives a connection."""

    def __init__(self):
        self.tasks = {}  # by token
        self.give_up_at = None

    def stop(self):
        """Begins nothing more; what still runs after GRACE is handed back."""
        self.give_up_at = self.give_up_at or time.monotonic() + GRACE

    def take(self, delivery, properties, body):
        """Takes what was delivered; returns whether it is a work item. People try things out."""
        token, headers = properties.correlation_id, properties.headers or {}
        if not (token and properties.reply_to and "idempotency-key" in headers):
            return False
        # It runs already, if it comes again after a lost connection.
        task = self.tasks.setdefault(token, Task(properties, body))
        task.deliver(delivery)
        return True

    def hear(self, word, body):
        """Takes what an owner says."""
        if task := self.tasks.get(word.correlation_id):
            task.hear(word.type, body, word.headers.get("question"))

    def serve(self):
        """Yields what to do on a connection, one step after another: a step that fails ends it."""
        for slot in self.free_slots():
            yield "consume", slot
        is_stopping = False
        while self.tasks or not is_stopping:
            yield ("wait",)
            for task in list(self.tasks.values()):
                yield from self.look_after(task)
            if self.give_up_at and not is_stopping:
                is_stopping = True
                for slot in SLOTS:
                    yield "cancel", slot
            if self.give_up_at and time.monotonic() > self.give_up_at:
                break
        for task in self.tasks.values():  # the next worker goes on from there
            if task.began:
                yield "say", task, "hand-back", task.news(), {"resend": not task.delivery}
            if task.delivery:
                yield "nack", task.delivery

    def look_after(self, task):
        """Yields what is due for a task."""
        if task.may_begin():
            task.begin()
            yield "begin", task
        if task.end:
            if task.end[0]:
                yield "say", task, *task.end
            if task.delivery:
                yield "ack", task.delivery
            elif task.is_released and not self.give_up_at:
                yield "consume", task.slot
            del self.tasks[task.token]
        elif word := task.word(is_alone=len(self.tasks) == 1):
            yield "say", task, *word
        elif task.is_due_for_release():
            yield "cancel", task.slot  # it stays taken until the activity ends
            yield "ack", task.delivery
            task.release()

    def free_slots(self):
        """Returns the slots in which no work item runs that was acknowledged."""
        taken = [task.slot for task in self.tasks.values() if task.is_released]
        return [slot for slot in SLOTS if slot not in taken]

    def lose_connection(self):
        """Forgets what is in hand but does not run: it comes again.

        Of the rest, nobody knows what was heard.
        """
        for task in list(self.tasks.values()):
            task.delivery, task.is_held = None, False
            if not task.began:
                del self.tasks[task.token]
