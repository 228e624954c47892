"""Trains a classifier of handwritten digits and writes it to $KUBEDL_MODEL_PATH as ONNX, with what is known about it."""

import json
import os
import sys
from pathlib import Path

import onnxruntime
import sklearn
from skl2onnx import to_onnx
from sklearn.neural_network import MLPClassifier

from data import split


def main():
    target = Path(os.environ["KUBEDL_MODEL_PATH"])
    images, held_out_images, labels, held_out_labels = split()
    print(f"training on {len(images)} images, {len(held_out_images)} held out", flush=True)
    classifier = MLPClassifier(hidden_layer_sizes=(256,), max_iter=400, random_state=0).fit(images, labels)

    # Without zipmap the probabilities are one array, not a dictionary for each image.
    onnx = to_onnx(classifier, images[:1], options={"zipmap": False}).SerializeToString()
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    predicted = session.run(["label"], {"X": held_out_images})[0]
    if (predicted != classifier.predict(held_out_images)).any():
        sys.exit("the exported model does not predict what the trained one does: nothing is written")
    accuracy = float((predicted == held_out_labels).mean())

    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(onnx)
    (target / "metadata.json").write_text(
        json.dumps(
            {
                "labels": classifier.classes_.tolist(),
                "pixels": images.shape[1],
                "trainedOn": len(images),
                "heldOut": len(held_out_images),
                "accuracy": accuracy,
                "trainer": f"scikit-learn {sklearn.__version__}",
            }
        )
    )
    print(f"accuracy on the held-out images: {accuracy:.1%}; model.onnx has {len(onnx)} bytes", flush=True)


main()
