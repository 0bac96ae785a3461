"""Starts an orchestration with one AMQP message and prints the answer: type and correlation id, then the body.

usage: start.py URL HUB ORCHESTRATOR INPUT
"""
import sys

import pika

url, hub, orchestrator, body = sys.argv[1:]
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
answers = channel.queue_declare("", exclusive=True).method.queue
channel.basic_publish(
    exchange=f"{hub}.ingress",
    routing_key=f"start.{orchestrator}",
    body=body,
    properties=pika.BasicProperties(reply_to=answers, correlation_id="4711"),
)
for _, properties, answer in channel.consume(answers, auto_ack=True, inactivity_timeout=50):
    if properties is None:
        sys.exit("no answer")
    print(properties.type, properties.correlation_id)
    print(answer.decode())
    break
connection.close()
