"""Serves the functions of activities.py, with pika: python pika_worker.py AMQP-URL QUEUE"""
import json, signal, sys, threading, time

import pika
from activities import ACTIVITIES
from steps import WORDS, Worker

URL, QUEUE = sys.argv[1:]
worker = Worker()
signal.signal(signal.SIGTERM, lambda *_: worker.stop())

def run(task):  # on a thread: the connection's must be free to answer the broker's heartbeats
    with task.ending():
        task.end = "result", json.dumps(task.call(ACTIVITIES))

def take(channel, delivery, properties, body):
    if not worker.take(delivery, properties, body):
        channel.basic_reject(delivery.delivery_tag, requeue=False)  # to the dead queue

def hear(_channel, _delivery, word, body):
    worker.hear(word, body)

def lose_queue(_frame):  # somebody has deleted it: the worker would wait for ever
    raise pika.exceptions.ConsumerCancelled

def serve(connection):
    channel = connection.channel()
    channel.confirm_delivery()
    channel.add_on_cancel_callback(lose_queue)
    channel.basic_consume(WORDS, hear, auto_ack=True)
    channel.basic_qos(prefetch_count=1)  # for each consumer, and each slot has one
    print("serving", QUEUE, flush=True)

    def say(task, kind, body, headers=None, message_id=None):  # ends once the broker has it
        properties = pika.BasicProperties(type=kind, correlation_id=task.token, headers=headers,
                                          message_id=message_id, reply_to=WORDS, delivery_mode=2)
        channel.basic_publish("", task.owner, body, properties, mandatory=True)

    steps = {
        "wait": lambda: connection.process_data_events(time_limit=0.02),
        "begin": lambda task: threading.Thread(target=run, args=[task], daemon=True).start(),
        "say": say,
        "consume": lambda slot: channel.basic_consume(QUEUE, take, consumer_tag=slot),
        "cancel": channel.basic_cancel,
        "ack": lambda delivery: channel.basic_ack(delivery.delivery_tag),
        "nack": lambda delivery: channel.basic_nack(delivery.delivery_tag),
    }
    for step, *what in worker.serve():
        steps[step](*what)

while not worker.give_up_at:
    try:
        with pika.BlockingConnection(pika.URLParameters(URL)) as connection:
            serve(connection)
    except pika.exceptions.AMQPError as error:  # also: no queue yet, or a reply goes nowhere
        print("again in a second:", repr(error), file=sys.stderr, flush=True)
        worker.lose_connection()
        time.sleep(1)
