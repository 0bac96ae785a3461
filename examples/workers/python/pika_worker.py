"""Serves the functions of activities.py, with pika: python pika_worker.py AMQP-URL QUEUE"""
import json, signal, sys, threading, time

import pika
from activities import ACTIVITIES
from task import GRACE, SLOTS, Task, free_slots, is_work_item, lose_connection

URL, QUEUE = sys.argv[1:]
WORDS = "amq.rabbitmq.reply-to"  # where the owners of what runs can say something
tasks, stop = {}, threading.Event()  # what runs, by token: it outlives a connection
signal.signal(signal.SIGTERM, lambda *_: stop.set())

def run(task):  # on a thread of its own: the connection's must be free to answer the broker's heartbeats
    with task.ending():
        task.end = "result", json.dumps(task.call(ACTIVITIES))

def take(channel, delivery, properties, body):
    if not is_work_item(properties): return channel.basic_reject(delivery.delivery_tag, requeue=False)  # to the dead queue
    task = tasks.get(properties.correlation_id)  # it runs already, if it comes again after a lost connection
    if not task: task = tasks[properties.correlation_id] = Task(properties, body)
    task.deliver(delivery)

def hear(_channel, _delivery, word, body):
    if task := tasks.get(word.correlation_id): task.hear(word.type, body, word.headers.get("question"))

def lose_queue(_frame):  # somebody has deleted it: without this, the worker would wait for ever
    raise pika.exceptions.ConsumerCancelled

def say(channel, task, kind, body, message_id=None, headers=None):  # ends once the broker has it, or raises
    properties = pika.BasicProperties(type=kind, correlation_id=task.token, message_id=message_id, headers=headers,
                                      reply_to=WORDS, delivery_mode=2)
    channel.basic_publish("", task.owner, body, properties, mandatory=True)

def look_after(channel, task):
    if task.may_begin():
        task.begin(threading.Thread(target=run, args=[task], daemon=True))
        task.run.start()
    if task.end:
        if task.end[0]: say(channel, task, *task.end)
        if task.delivery: channel.basic_ack(task.delivery.delivery_tag)
        elif task.is_released and not stop.is_set(): channel.basic_consume(QUEUE, take, consumer_tag=task.slot)
        del tasks[task.token]
    elif word := task.word(is_alone=len(tasks) == 1):
        say(channel, task, *word)
    elif task.is_due_for_release():
        channel.basic_cancel(task.slot)  # it stays taken until the activity ends
        channel.basic_ack(task.delivery.delivery_tag)
        task.release()

def serve(connection):
    channel = connection.channel()
    channel.confirm_delivery()
    channel.add_on_cancel_callback(lose_queue)
    channel.basic_consume(WORDS, hear, auto_ack=True)
    channel.basic_qos(prefetch_count=1)  # for each consumer, and each slot has one
    for slot in free_slots(tasks): channel.basic_consume(QUEUE, take, consumer_tag=slot)
    print("serving", QUEUE, flush=True)
    give_up_at = None
    while tasks or not give_up_at:
        connection.process_data_events(time_limit=0.02)
        for task in list(tasks.values()): look_after(channel, task)
        if stop.is_set() and not give_up_at:
            for slot in SLOTS: channel.basic_cancel(slot)
            give_up_at = time.monotonic() + GRACE
        if give_up_at and time.monotonic() > give_up_at: break
    for task in tasks.values():  # the next worker goes on from there
        if task.run: say(channel, task, "hand-back", task.news(), headers={"resend": task.is_released})
        if task.delivery: channel.basic_nack(task.delivery.delivery_tag)

while not stop.is_set():
    try:
        with pika.BlockingConnection(pika.URLParameters(URL)) as connection: serve(connection)
    except pika.exceptions.AMQPError as error:  # also: the queue is not there yet, or a reply goes nowhere
        print("again in a second:", repr(error), file=sys.stderr, flush=True)
        lose_connection(tasks)
        stop.wait(1)
