"""The digits and their split. Training and client compute the same one, so what is held out stays held out."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def split():
    """Images (rows of 64 pixels from 0 to 16) and labels: training images, held-out images, training labels, held-out labels."""
    digits = load_digits()
    return train_test_split(
        digits.data.astype("float32"), digits.target, test_size=0.25, stratify=digits.target, random_state=2026
    )
