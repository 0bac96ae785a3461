"""What tests have pika_worker.py serve: it tells what it does, and breaks as its plan says."""
import time

from task import Failure


def work(task, plan):
    began_at = task.progress or 0
    print("begun", plan["name"], "at", began_at, "under", task.key, flush=True)
    try:
        for step in range(began_at, plan["steps"]):
            time.sleep(plan["ms"] / 1000)
            if task.attempt == 1 and step == plan.get("breaks_at"):
                raise ValueError("the disk is full")
            if task.attempt == 1 and step == plan.get("hangs_at"):
                time.sleep(600)
            if step == plan.get("wears_out_at"):
                raise Failure("worn_out", "it will never do", retryable=False)
            task.beat(step + 1)
    except BaseException:
        print("left", plan["name"], flush=True)
        raise
    return {"began_at": began_at, "attempt": task.attempt, "key": task.key, "traceparent": task.traceparent, "by": "pika"}


ACTIVITIES = {"work": work}
