"""Shows one held-out digit to the served model, then all of them: ask.py URL. Fails if it is not the model that was trained."""

import json
import sys
import time
import urllib.error
import urllib.request

from data import split

SHADES = " ░▒▓█"
PATIENCE_SECONDS = 30


def main(url):
    _, images, _, labels = split()
    model = call(f"{url}/model")
    print(f"a held-out image, a handwritten {labels[0]}:\n\n{picture(images[0])}\n")
    answer = call(f"{url}/predict", {"images": images[:1].tolist()})
    print(f"prediction: {answer['digits'][0]} ({answer['probabilities'][0]:.1%} sure)")

    digits = call(f"{url}/predict", {"images": images.tolist()})["digits"]
    accuracy = sum(digit == label for digit, label in zip(digits, labels, strict=True)) / len(labels)
    print(f"accuracy:   {accuracy:.1%} on {len(labels)} held-out images")
    if accuracy != model["accuracy"]:
        sys.exit(f"the trainer measured {model['accuracy']:.1%}: this is not the model that was trained")


def call(url, body=None):
    """Gets, or posts a value as JSON; a connection that is refused is tried again while Service and pod come up."""
    data = None if body is None else json.dumps(body).encode()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            sys.exit(f"{url} answered {error.code}: {error.read().decode()}")
        except OSError as error:
            if time.monotonic() > deadline:
                sys.exit(f"{url} does not answer: {error}")
            time.sleep(1)


def picture(image):
    """8 lines; a pixel from 0 to 16 becomes two shaded characters."""
    rows = image.reshape(8, 8)
    return "\n".join("    " + "".join(SHADES[round(pixel / 4)] * 2 for pixel in row) for row in rows.tolist())


main(sys.argv[1].rstrip("/"))
