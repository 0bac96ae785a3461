"""Serves the functions of aio_activities.py, with aio-pika: python aio_worker.py AMQP-URL QUEUE"""
import asyncio, json, signal, sys

from aio_pika import Message, connect
from aio_activities import ACTIVITIES
from steps import WORDS, Worker

URL, QUEUE = sys.argv[1:]
worker = Worker()

async def run(task):
    with task.ending():
        task.end = "result", json.dumps(await task.call(ACTIVITIES))

async def take(item):
    if not worker.take(item, item, item.body):
        await item.reject()  # to the dead queue

async def hear(word):
    worker.hear(word, word.body)

async def serve(connection):
    channel = await connection.channel(on_return_raises=True)
    lost = []  # consumers, when somebody has deleted the queue: the worker would wait for ever
    (await channel.get_underlay_channel()).on_consumer_cancel_callbacks.add(lost.append)
    queue, words = [await channel.get_queue(name, ensure=False) for name in (QUEUE, WORDS)]
    await words.consume(hear, no_ack=True)
    await channel.set_qos(prefetch_count=1)  # for each consumer, and each slot has one
    print("serving", QUEUE, flush=True)

    async def say(task, kind, body, headers=None, message_id=None):  # ends once the broker has it
        message = Message(body.encode(), type=kind, correlation_id=task.token, headers=headers,
                          message_id=message_id, reply_to=WORDS, delivery_mode=2)
        await channel.default_exchange.publish(message, task.owner, mandatory=True, timeout=30)
    for step, *what in worker.serve():
        match step, what:
            case "wait", []:
                await asyncio.sleep(0.02)
                if lost or channel.is_closed:
                    raise ConnectionError("the connection or the queue is lost")
            case "begin", [task]: task.interrupt = asyncio.create_task(run(task)).cancel
            case "say", _: await say(*what)
            case "consume", [slot]: await queue.consume(take, consumer_tag=slot)
            case "cancel", [slot]: await queue.cancel(slot)
            case "ack", [item]: await item.ack()
            case "nack", [item]: await item.nack()

async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    while not worker.give_up_at:
        try:
            async with await connect(URL) as connection:
                await serve(connection)
        except Exception as error:  # also: no queue yet, or a reply goes nowhere
            print("again in a second:", repr(error), file=sys.stderr, flush=True)
            worker.lose_connection()
            await asyncio.sleep(1)

asyncio.run(main())
