// The activities of worker.mjs: async functions. Put yours here.
import { setTimeout as sleep } from "node:timers/promises";

import { Failure } from "./task.mjs";

async function computeVolume(task, size) {
  if (Math.min(...Object.values(size)) < 0) {
    throw new Failure("negative", "a side is negative", { retryable: false });
  }
  return { litres: 1000 * size.length * size.width * size.height };
}

// Long work: goes on where an earlier attempt was, and ends if nobody waits for it.
async function transcode(task, video) {
  const beganAt = task.progress ?? 0;
  for (let frame = beganAt; frame < video.frames; frame++) {
    await sleep(10, null, { signal: task.signal }); // one frame's work
    task.beat(frame + 1);
  }
  return { frames: video.frames, began_at: beganAt };
}

export const ACTIVITIES = new Map([["compute_volume", computeVolume], ["transcode", transcode]]);
