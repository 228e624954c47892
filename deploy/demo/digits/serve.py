"""Serves the model of $KUBEDL_MODEL_PATH over HTTP: POST /predict, GET /model, GET /healthz."""

import json
import os
import signal
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy
import onnxruntime

PORT = 8080
BODY_LIMIT = 8 << 20


class BadRequest(Exception):
    """Says what is wrong with a request's body."""


class Model:
    """A classifier of images and what its trainer wrote about it."""

    def __init__(self, directory):
        self.metadata = json.loads((directory / "metadata.json").read_text())
        self._session = onnxruntime.InferenceSession(directory / "model.onnx", providers=["CPUExecutionProvider"])

    def predict(self, body):
        """Takes {"images": [[pixel, ...], ...]}; gives one digit and its probability for each image."""
        labels, probabilities = self._session.run(["label", "probabilities"], {"X": self._images(body)})
        return {"digits": labels.tolist(), "probabilities": probabilities.max(axis=1).tolist()}

    def _images(self, body):
        pixels = self.metadata["pixels"]
        try:
            images = numpy.asarray(json.loads(body)["images"], dtype=numpy.float32)
        except (ValueError, TypeError, KeyError) as error:
            raise BadRequest(f'send {{"images": [[{pixels} numbers], ...]}}: {error!r}') from error
        if images.ndim != 2 or images.shape[1] != pixels or not numpy.isfinite(images).all():
            raise BadRequest(f"each image is a list of {pixels} finite numbers")
        return images


class Handler(BaseHTTPRequestHandler):
    """Answers with JSON. The server's attribute `model` is the model."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/healthz":
            self._answer(HTTPStatus.OK, {"status": "ok"})
        elif self.path == "/model":
            self._answer(HTTPStatus.OK, self.server.model.metadata)
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "try GET /healthz, GET /model or POST /predict"})

    def do_POST(self):
        # Whatever is refused below leaves a body unread, which the next request must not begin with.
        self.close_connection = True
        length = self.headers.get("Content-Length", "")
        if self.path != "/predict":
            self._answer(HTTPStatus.NOT_FOUND, {"error": "try POST /predict"})
        elif not length.isdecimal():
            self._answer(HTTPStatus.LENGTH_REQUIRED, {"error": "send a Content-Length"})
        elif int(length) > BODY_LIMIT:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"send at most {BODY_LIMIT} bytes"})
        else:
            try:
                self._answer(HTTPStatus.OK, self.server.model.predict(self.rfile.read(int(length))))
            except BadRequest as error:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})

    def _answer(self, status, value):
        body = json.dumps(value).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code="-", size="-"):
        if self.path != "/healthz":
            super().log_request(code, size)


def main():
    server = ThreadingHTTPServer(("", PORT), Handler)
    server.model = Model(Path(os.environ["KUBEDL_MODEL_PATH"]))
    # shutdown() waits for serve_forever(), which this thread runs; and the first process of a container has no default handler.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"serving on port {PORT}: {server.model.metadata}", flush=True)
    server.serve_forever()


main()
