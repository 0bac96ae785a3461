"""Serves an activity: reads the body, publishes the result to reply_to with the same correlation id, acknowledges.

usage: worker.py URL QUEUE
"""
import json
import sys

import pika

url, queue = sys.argv[1:]


def compute_volume(size):
    if min(size.values()) < 0:
        return "failure", {"code": "negative", "message": "a side is negative", "retryable": False}
    return "result", {"litres": 1000.0 * size["length"] * size["width"] * size["height"]}


def serve(channel, method, properties, body):
    trace = (properties.headers or {}).get("traceparent")
    if trace:
        print("in trace", trace, flush=True)
    kind, answer = compute_volume(json.loads(body))
    reply = pika.BasicProperties(type=kind, correlation_id=properties.correlation_id, delivery_mode=2)
    channel.basic_publish("", properties.reply_to, json.dumps(answer), reply, mandatory=True)
    channel.basic_ack(method.delivery_tag)


channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
channel.confirm_delivery()  # a reply is confirmed before its work item is acknowledged
channel.basic_qos(prefetch_count=10)
# Whoever comes first declares the queue, with the arguments that docs/AMQP.md gives.
channel.queue_declare(
    queue,
    durable=True,
    arguments={
        "x-queue-type": "quorum",
        "x-delivery-limit": 1_000_000,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue.split(".")[0] + ".dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    },
)
channel.basic_consume(queue, serve)
print("serving", flush=True)
channel.start_consuming()
