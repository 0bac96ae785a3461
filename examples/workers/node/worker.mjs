// Serves the functions of activities.mjs, with amqplib: node worker.mjs AMQP-URL QUEUE
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";
import { ACTIVITIES } from "./activities.mjs";
import { GRACE, SLOTS, Task, freeSlots, isWorkItem, loseConnection } from "./task.mjs";

const [url, queue] = process.argv.slice(2);
const WORDS = "amq.rabbitmq.reply-to"; // where the owners of what runs can say something
const tasks = new Map(); // what runs, by token: it outlives a connection
let giveUpAt = null;
process.on("SIGTERM", () => (giveUpAt ??= Date.now() + 1000 * GRACE));

function take(channel, item) {
  if (!item) throw new Error("somebody has deleted the queue"); // ends the connection, or it would wait for ever
  if (!isWorkItem(item)) return channel.nack(item, false, false); // to the dead queue
  const token = item.properties.correlationId; // known, if it runs already and comes again after a lost connection
  if (!tasks.has(token)) tasks.set(token, new Task(item));
  tasks.get(token).deliver(item);
}

const consume = (channel, slot) => channel.consume(queue, (item) => take(channel, item), { consumerTag: slot });

const hear = (word) => tasks.get(word.properties.correlationId)?.hear(word);

function say(channel, task, type, body, headers = {}, messageId = undefined) { // ends once the broker has it, or rejects
  const address = { type, correlationId: task.token, messageId, replyTo: WORDS };
  return new Promise((resolve, reject) => {
    channel.once("return", () => reject(new Error(`nobody takes what is sent to ${task.owner}`)));
    const done = (error) => (error ? reject(error) : resolve());
    channel.publish("", task.owner, Buffer.from(body), { ...address, headers, persistent: true, mandatory: true }, done);
  }).finally(() => channel.removeAllListeners("return"));
}

async function lookAfter(channel, task) {
  if (task.mayBegin()) task.run(ACTIVITIES);
  const word = task.end ? null : task.word(tasks.size === 1);
  if (task.end) {
    if (task.end.length) await say(channel, task, ...task.end);
    if (task.item) channel.ack(task.item);
    else if (task.isReleased && !giveUpAt) await consume(channel, task.slot);
    tasks.delete(task.token);
  } else if (word) {
    await say(channel, task, ...word);
  } else if (task.isDueForRelease()) {
    await channel.cancel(task.slot); // it stays taken until the activity ends
    channel.ack(task.item);
    task.release();
  }
}

async function serve(channel) {
  let error = null;
  channel.on("error", (cause) => (error = cause)).on("close", () => (error ??= new Error("the connection is lost")));
  await channel.consume(WORDS, hear, { noAck: true });
  await channel.prefetch(1); // for each consumer, and each slot has one
  for (const slot of freeSlots(tasks)) await consume(channel, slot);
  console.log("serving", queue);
  for (let isStopping = false; tasks.size || !giveUpAt; await sleep(20)) {
    if (error) throw error;
    for (const task of tasks.values()) await lookAfter(channel, task);
    if (giveUpAt && !isStopping) for (const slot of SLOTS) await channel.cancel(slot);
    isStopping = giveUpAt !== null;
    if (giveUpAt && Date.now() > giveUpAt) break;
  }
  for (const task of tasks.values()) { // the next worker goes on from there
    if (task.began) await say(channel, task, "hand-back", task.news(), { resend: task.isReleased });
    if (task.item) channel.nack(task.item);
  }
}

while (!giveUpAt) {
  let connection;
  try {
    connection = await amqp.connect(url);
    connection.on("error", () => {}); // the channel's close tells
    await serve(await connection.createConfirmChannel());
  } catch (error) { // also: the queue is not there yet, or a reply goes nowhere
    console.error("again in a second:", error.message);
    loseConnection(tasks);
    await sleep(1000);
  }
  await connection?.close().catch(() => {});
}
process.exit();
