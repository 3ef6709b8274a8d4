"""Flask's server: pages, JSON and errors for four clients at once, a thread for each request.

    web_server.py serve REQUESTS    answers that many requests, then ends; a socket is in its folder
    web_server.py load REQUESTS     the clients
"""

import http.client
import os
import socket
import sys
import threading
import time
import zlib

SOCKET, CLIENTS = "web.socket", 4
PAGE = """<h1>{{ title|e }}</h1>{% for row in rows %}<p class="{{ loop.cycle('odd', 'even') }}">{{ row.name|upper }}: {{ row.value }}
{% if row.value is divisibleby 3 %}<b>three</b>{% endif %}</p>{% endfor %}"""


def serve(requests):
    import logging

    from flask import Flask, abort, jsonify, render_template_string, request
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Flask("web")
    finished, lock, seen = threading.Event(), threading.Lock(), {}

    @app.route("/page/<int:number>")
    def page(number):
        rows = [{"name": f"row {n}", "value": n * number} for n in range(20)]
        return render_template_string(PAGE, title=f"<page {number}>", rows=rows)

    @app.route("/sum", methods=["POST"])
    def total():
        given = request.get_json()
        return jsonify(total=sum(given["numbers"]), words=sorted(given["words"]))

    @app.route("/none/<name>")
    def none(name):
        abort(404, name)

    @app.after_request
    def count(response):
        with lock:
            size, checksum = seen.get(response.status_code, (0, 0))
            body = response.get_data()
            seen[response.status_code] = size + 1, checksum + zlib.crc32(body)
            if sum(size for size, _ in seen.values()) == requests:
                finished.set()
        return response

    server = make_server(f"unix://{SOCKET}", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    finished.wait()
    server.shutdown()
    server.server_close()
    for status, (size, checksum) in sorted(seen.items()):
        print(status, size, checksum)


class Connection(http.client.HTTPConnection):
    def connect(self):
        deadline = time.monotonic() + 120
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            try:
                return self.sock.connect(SOCKET)
            except (FileNotFoundError, ConnectionRefusedError):  # it has not started yet
                self.sock.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def load(requests):
    def client(first):
        for number in range(first, requests, CLIENTS):
            connection = Connection("localhost")
            if number % 10 == 9:
                connection.request("GET", f"/none/{number}")
            elif number % 2:
                words = ", ".join(f'"word {number * n % 101}"' for n in range(20))
                body = f'{{"numbers": {list(range(number % 100))}, "words": [{words}]}}'
                connection.request("POST", "/sum", body, {"Content-Type": "application/json"})
            else:
                connection.request("GET", f"/page/{number}")
            response = connection.getresponse()
            response.read()
            if response.status != (404 if number % 10 == 9 else 200):
                print(f"request {number}: status {response.status}", file=sys.stderr)
                os._exit(1)
            connection.close()

    threads = [threading.Thread(target=client, args=(first,)) for first in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


{"serve": serve, "load": load}[sys.argv[1]](int(sys.argv[2]))
