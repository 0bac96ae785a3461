// The life of a worker, step by step: worker.mjs takes the steps.
import { GRACE, SLOTS, Task } from "./task.mjs";

export const WORDS = "amq.rabbitmq.reply-to"; // where the owners of what runs can say something

// What a worker runs. It outlives a connection.
export class Worker {
  tasks = new Map(); // by token
  giveUpAt = null;

  // Begins nothing more; what still runs after GRACE is handed back.
  stop() {
    this.giveUpAt ??= Date.now() + 1000 * GRACE;
  }

  // Takes what was delivered; returns whether it is a work item. People try things out.
  take(item) {
    const { correlationId, replyTo, headers } = item.properties;
    if (!(correlationId && replyTo && "idempotency-key" in headers)) return false;
    // It runs already, if it comes again after a lost connection.
    if (!this.tasks.has(correlationId)) this.tasks.set(correlationId, new Task(item));
    this.tasks.get(correlationId).deliver(item);
    return true;
  }

  // Takes what an owner says.
  hear(word) {
    this.tasks.get(word.properties.correlationId)?.hear(word);
  }

  // Yields what to do on a connection, one step after another: a step that fails ends it.
  *serve() {
    for (const slot of this.freeSlots()) yield ["consume", slot];
    for (let isStopping = false; this.tasks.size || !isStopping; ) {
      yield ["wait"];
      for (const task of this.tasks.values()) yield* this.lookAfter(task);
      if (this.giveUpAt && !isStopping) {
        isStopping = true;
        for (const slot of SLOTS) yield ["cancel", slot];
      }
      if (this.giveUpAt && Date.now() > this.giveUpAt) break;
    }
    for (const task of this.tasks.values()) { // the next worker goes on from there
      if (task.began) {
        yield ["say", task, "hand-back", task.news(), { resend: !task.item }];
      }
      if (task.item) yield ["nack", task.item];
    }
  }

  // Yields what is due for a task.
  *lookAfter(task) {
    if (task.mayBegin()) yield ["begin", task];
    const word = task.end ? null : task.word(this.tasks.size === 1);
    if (task.end) {
      if (task.end.length) yield ["say", task, ...task.end];
      if (task.item) yield ["ack", task.item];
      else if (task.isReleased && !this.giveUpAt) yield ["consume", task.slot];
      this.tasks.delete(task.token);
    } else if (word) {
      yield ["say", task, ...word];
    } else if (task.isDueForRelease()) {
      yield ["cancel", task.slot]; // it stays taken until the activity ends
      yield ["ack", task.item];
      task.release();
    }
  }

  // Returns the slots in which no work item runs that was acknowledged.
  freeSlots() {
    const released = [...this.tasks.values()].filter((task) => task.isReleased);
    const taken = released.map((task) => task.slot);
    return SLOTS.filter((slot) => !taken.includes(slot));
  }

  // Forgets what is in hand but does not run: it comes again. Of the rest, nobody knows what was
  // heard.
  loseConnection() {
    for (const task of this.tasks.values()) {
      Object.assign(task, { item: null, isHeld: false });
      if (!task.began) this.tasks.delete(task.token);
    }
  }
}
