"""Serves the functions of aio_activities.py, with aio-pika: python aio_worker.py AMQP-URL QUEUE"""
import asyncio, json, signal, sys, time

import aio_pika
from aio_activities import ACTIVITIES
from task import GRACE, SLOTS, Task, free_slots, is_work_item, lose_connection

URL, QUEUE = sys.argv[1:]
WORDS = "amq.rabbitmq.reply-to"  # where the owners of what runs can say something
tasks, stop = {}, asyncio.Event()  # what runs, by token: it outlives a connection

async def run(task):
    with task.ending():
        task.end = "result", json.dumps(await task.call(ACTIVITIES))

async def take(item):
    if not is_work_item(item): return await item.reject()  # to the dead queue
    task = tasks.get(item.correlation_id)  # it runs already, if it comes again after a lost connection
    if not task: task = tasks[item.correlation_id] = Task(item, item.body)
    task.deliver(item)

async def hear(word):
    if task := tasks.get(word.correlation_id):
        task.hear(word.type, word.body, word.headers.get("question"))
        if task.is_cancelled and task.run: task.run.cancel()

async def say(channel, task, kind, body, message_id=None, headers=None):  # ends once the broker has it, or raises
    message = aio_pika.Message(body.encode(), type=kind, correlation_id=task.token, message_id=message_id, headers=headers,
                               reply_to=WORDS, delivery_mode=2)
    await channel.default_exchange.publish(message, task.owner, mandatory=True, timeout=30)

async def look_after(channel, queue, task):
    if task.may_begin(): task.begin(asyncio.create_task(run(task)))
    if task.end:
        if task.end[0]: await say(channel, task, *task.end)
        if task.delivery: await task.delivery.ack()
        elif task.is_released and not stop.is_set(): await queue.consume(take, consumer_tag=task.slot)
        del tasks[task.token]
    elif word := task.word(is_alone=len(tasks) == 1):
        await say(channel, task, *word)
    elif task.is_due_for_release():
        await queue.cancel(task.slot)  # it stays taken until the activity ends
        await task.delivery.ack()
        task.release()

async def serve(connection):
    channel = await connection.channel(on_return_raises=True)
    lost = []  # consumers, when somebody has deleted the queue: without a look at this, the worker would wait for ever
    (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lost.append)
    queue, words = [await channel.get_queue(name, ensure=False) for name in (QUEUE, WORDS)]
    await words.consume(hear, no_ack=True)
    await channel.set_qos(prefetch_count=1)  # for each consumer, and each slot has one
    for slot in free_slots(tasks): await queue.consume(take, consumer_tag=slot)
    print("serving", QUEUE, flush=True)
    give_up_at = None
    while tasks or not give_up_at:
        await asyncio.sleep(0.02)
        if lost or channel.is_closed: raise ConnectionError("the connection or the queue is lost")
        for task in list(tasks.values()): await look_after(channel, queue, task)
        if stop.is_set() and not give_up_at:
            for slot in SLOTS: await queue.cancel(slot)
            give_up_at = time.monotonic() + GRACE
        if give_up_at and time.monotonic() > give_up_at: break
    for task in tasks.values():  # the next worker goes on from there
        if task.run: await say(channel, task, "hand-back", task.news(), headers={"resend": task.is_released})
        if task.delivery: await task.delivery.nack()

async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    while not stop.is_set():
        try:
            async with await aio_pika.connect(URL) as connection: await serve(connection)
        except Exception as error:  # also: the queue is not there yet, or a reply goes nowhere
            print("again in a second:", repr(error), file=sys.stderr, flush=True)
            lose_connection(tasks)
            await asyncio.sleep(1)

asyncio.run(main())
