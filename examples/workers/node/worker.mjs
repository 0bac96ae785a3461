// Serves the functions of activities.mjs, with amqplib: node worker.mjs AMQP-URL QUEUE
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";
import { ACTIVITIES } from "./activities.mjs";
import { WORDS, Worker } from "./steps.mjs";

const [url, queue] = process.argv.slice(2);
const worker = new Worker();
process.on("SIGTERM", () => worker.stop());

async function say(channel, task, type, body, headers, messageId) { // ends once the broker has it
  const properties = { type, correlationId: task.token, headers, messageId, replyTo: WORDS };
  const options = { ...properties, persistent: true, mandatory: true };
  channel.publish("", task.owner, Buffer.from(body), options);
  await channel.waitForConfirms();
}

function take(channel, item) {
  if (!item) throw new Error("somebody has deleted the queue"); // ends the connection
  if (!worker.take(item)) channel.nack(item, false, false); // to the dead queue
}

async function serve(channel) {
  let error = null;
  channel.on("error", (cause) => (error = cause));
  channel.on("close", () => (error ??= new Error("the connection is lost")));
  channel.on("return", ({ fields }) => (error = new Error(`there is no ${fields.routingKey}`)));
  await channel.consume(WORDS, (word) => worker.hear(word), { noAck: true });
  await channel.prefetch(1); // for each consumer, and each slot has one
  console.log("serving", queue);
  const steps = {
    wait: () => sleep(20),
    begin: (task) => void task.run(ACTIVITIES),
    say: (...what) => say(channel, ...what),
    consume: (slot) => channel.consume(queue, (item) => take(channel, item), { consumerTag: slot }),
    cancel: (slot) => channel.cancel(slot),
    ack: (item) => channel.ack(item),
    nack: (item) => channel.nack(item),
  };
  for (const [step, ...what] of worker.serve()) {
    await steps[step](...what);
    if (error) throw error;
  }
}

while (!worker.giveUpAt) {
  let connection;
  try {
    connection = await amqp.connect(url);
    connection.on("error", () => {}); // the channel's close tells
    await serve(await connection.createConfirmChannel());
  } catch (error) { // also: no queue yet, or a reply goes nowhere
    console.error("again in a second:", error.message);
    worker.loseConnection();
    await sleep(1000);
  }
  await connection?.close().catch(() => {});
}
process.exit();
