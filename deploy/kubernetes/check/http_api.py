"""Requests by HTTP, with the standard library."""

import base64
import json
import urllib.parse
import urllib.request


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Api:
    """RabbitMQ's HTTP API, as one user."""

    def __init__(self, address, user, password):
        self.address = address
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def get(self, place):
        return json.loads(self.ask("GET", place))

    def put(self, place, body):
        self.ask("PUT", place, body)

    def post(self, place, body):
        self.ask("POST", place, body)

    def answers(self):
        try:
            return bool(self.get("/overview"))
        except (OSError, ValueError):
            return False

    def ask(self, method, place, body=None):
        headers = {"authorization": self.authorization, "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + urllib.parse.quote(place), data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()
