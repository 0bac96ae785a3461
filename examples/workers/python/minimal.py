import json
import sys

import pika

url, queue = sys.argv[1:]
channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
channel.confirm_delivery()
channel.basic_qos(prefetch_count=1)


def serve(channel, delivery, item, body):
    size = json.loads(body)
    result = json.dumps({"litres": 1000 * size["length"] * size["width"] * size["height"]})
    reply = pika.BasicProperties(correlation_id=item.correlation_id, delivery_mode=2)
    channel.basic_publish("", item.reply_to, result, reply, mandatory=True)  # confirmed …
    channel.basic_ack(delivery.delivery_tag)  # … before the work item is acked


channel.basic_consume(queue, serve)
channel.start_consuming()
