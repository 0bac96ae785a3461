// What tests have worker.mjs serve: it tells what it does, and breaks as its plan says.
import { setTimeout as sleep } from "node:timers/promises";

import { Failure } from "./task.mjs";

async function work(task, plan) {
  const { signal, attempt, key, traceparent } = task;
  const beganAt = task.progress ?? 0;
  console.log("begun", plan.name, "at", beganAt, "under", key);
  try {
    for (let step = beganAt; step < plan.steps; step++) {
      await sleep(plan.ms, null, { signal });
      if (attempt === 1 && step === plan.breaks_at) throw new TypeError("the disk is full");
      if (attempt === 1 && step === plan.hangs_at) await sleep(600_000, null, { signal });
      if (step === plan.wears_out_at) throw new Failure("worn_out", "it will never do", { retryable: false });
      task.beat(step + 1);
    }
  } catch (error) {
    console.log("left", plan.name);
    throw error;
  }
  return { began_at: beganAt, attempt, key, traceparent, by: "node" };
}

export const ACTIVITIES = new Map([["work", work]]);
