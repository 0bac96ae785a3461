"""The activities of pika_worker.py: ordinary functions, which run on threads. Put yours here."""
import time

from task import Failure


def compute_volume(task, size):
    if min(size.values()) < 0:
        raise Failure("negative", "a side is negative", retryable=False)
    return {"litres": 1000.0 * size["length"] * size["width"] * size["height"]}


def transcode(task, video):
    """Long work: goes on where an earlier attempt was, and ends if nobody waits for it."""
    began_at = task.progress or 0
    for frame in range(began_at, video["frames"]):
        time.sleep(0.01)  # one frame's work
        task.beat(frame + 1)
    return {"frames": video["frames"], "began_at": began_at}


ACTIVITIES = {"compute_volume": compute_volume, "transcode": transcode}
