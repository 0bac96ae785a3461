"""The activities of aio_worker.py: coroutines, cancelled where they wait. Put yours here."""
import asyncio

from task import Failure


async def compute_volume(task, size):
    if min(size.values()) < 0:
        raise Failure("negative", "a side is negative", retryable=False)
    return {"litres": 1000.0 * size["length"] * size["width"] * size["height"]}


async def transcode(task, video):
    """Long work: goes on where an earlier attempt was, and ends if nobody waits for it."""
    began_at = task.progress or 0
    for frame in range(began_at, video["frames"]):
        await asyncio.sleep(0.01)  # one frame's work
        task.beat(frame + 1)
    return {"frames": video["frames"], "began_at": began_at}


ACTIVITIES = {"compute_volume": compute_volume, "transcode": transcode}
