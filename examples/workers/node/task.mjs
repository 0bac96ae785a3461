// What an activity's function is given, and what its worker says of it.
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

const setting = (name, usual) => Number(process.env[name] ?? usual);
// In seconds:
const LEASE = setting("LEASE", 20); // a worker that is silent for so long counts as lost
const HOLD = setting("HOLD", 300); // a work item is acked once its activity has run for so long
export const GRACE = setting("GRACE", 20); // what still runs so long after a SIGTERM is handed back
const ALONE = setting("ALONE", 30); // what may have killed a worker waits so long for others to end

// One activity each.
export const SLOTS = Array.from({ length: setting("AT_ONCE", 4) }, (_, number) => `slot-${number}`);
const NAME = `${hostname()}-${process.pid}`;
const LIMITS = ["schedule-to-start-ms", "start-to-close-ms", "heartbeat-ms"];

// Why an activity failed. Programs go by the code; what is not retryable is not tried again.
export class Failure extends Error {
  constructor(code, message, { retryable = true } = {}) {
    super(message);
    Object.assign(this, { code, retryable });
  }
}

// One attempt of an activity.
export class Task {
  constructor({ content, properties }) {
    const headers = properties.headers;
    this.token = properties.correlationId;
    this.owner = properties.replyTo;
    this.activity = properties.type;
    this.content = content;
    this.attempt = headers.attempt;
    this.key = headers["idempotency-key"];
    this.traceparent = headers.traceparent;
    this.progress = JSON.parse(headers.progress ?? "null"); // how far an earlier attempt had come
    this.hasLimits = LIMITS.some((limit) => limit in headers);
    this.cancel = new AbortController();
    this.signal = this.cancel.signal; // aborted once nobody waits for the task any more
    this.spoke = 0;
  }

  // Says how far the activity has come, and ends it if nobody waits for it. Cheap: call it often.
  beat(progress) {
    Object.assign(this, { progress, hasNews: true });
    this.signal.throwIfAborted();
  }

  // Its work item has come. If not for the first time, another worker may run it: ask.
  deliver(item) {
    Object.assign(this, { item, slot: item.fields.consumerTag, isReleased: false });
    this.question = item.fields.redelivered && !this.began ? randomUUID() : null;
    this.came = Date.now();
  }

  mayBegin() {
    return !(this.began || this.question || this.end);
  }

  // Runs the activity's function, and notes its end: type and body of the reply, or nothing if
  // nobody waits for one.
  async run(activities) {
    this.began = Date.now();
    this.spoke = this.began - (this.hasLimits ? 1000 : 0); // with limits, a word is due at once
    try {
      const activity = activities.get(this.activity);
      if (!activity) {
        throw new Failure("unknown_activity", `this worker does not serve ${this.activity}`);
      }
      const result = await activity(this, JSON.parse(this.content));
      this.end = ["result", JSON.stringify(result ?? null)];
    } catch (error) {
      const isOurs = error instanceof Failure;
      const { code, message, retryable } = isOurs ? error : new Failure(error.name, error.message);
      const failure = JSON.stringify({ code, message, retryable, progress: this.progress });
      this.end = this.signal.aborted ? [] : ["failure", failure];
    }
  }

  // Returns what its owner is to be told now, if anything: type, body, headers and message id.
  word(isAlone) {
    const pause = this.isHeld && !this.hasNews ? LEASE / 3 : 1;
    if (this.signal.aborted || Date.now() < this.spoke + 1000 * pause) return null;
    this.spoke = Date.now();
    const headers = { worker: NAME, activity: this.activity };
    const alone = isAlone || Date.now() > this.came + 1000 * ALONE;
    if (this.question) return ["begin", "", { ...headers, alone }, this.question];
    Object.assign(headers, { "lease-ms": 1000 * LEASE, workers: !this.hasNews });
    this.hasNews = false;
    return ["heartbeat", this.news(), headers];
  }

  // Returns how far it has come, as the body of a word; empty, if nothing is known.
  news() {
    return this.progress === null ? "" : JSON.stringify(this.progress);
  }

  // Takes what its owner says.
  hear({ content, properties: { type, headers } }) {
    if (type === "held") this.isHeld = true;
    else if (type === "cancel") this.cancel.abort();
    else if (headers.question === this.question && ["go", "drop"].includes(type)) {
      // After another answer it is asked again.
      this.question = null;
      if (content.length) this.progress = JSON.parse(content);
      if (type === "drop") this.end = [];
    }
  }

  // Returns whether to acknowledge its work item, before the broker takes it back.
  isDueForRelease() {
    return this.item && this.isHeld && Date.now() > this.began + 1000 * HOLD;
  }

  // Its work item is acknowledged: from now on the lease alone says that it runs.
  release() {
    Object.assign(this, { item: null, isReleased: true });
  }
}
