"""A support vector machine with a Gaussian kernel on the pixels of pictures: its accuracy on others.

    python svm.py --train IMAGES LABELS --test IMAGES LABELS

Files are IDX. C is chosen by cross-validation over three parts of a third of the training pictures.
"""
import argparse
import json
import time
from pathlib import Path

import numpy
import sklearn
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC


def idx(path):
    data = Path(path).read_bytes()
    axes = data[3]
    shape = numpy.frombuffer(data, ">i4", axes, 4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * axes).reshape(shape)


def pixels(path):
    pictures = idx(path)
    return pictures.reshape(len(pictures), -1) / 255.0


parser = argparse.ArgumentParser()
parser.add_argument("--train", nargs=2, required=True)
parser.add_argument("--test", nargs=2, required=True)
options = parser.parse_args()

start = time.perf_counter()
train, labels = pixels(options.train[0]), idx(options.train[1])
search = GridSearchCV(SVC(kernel="rbf", gamma="scale"), {"C": [1, 3, 10, 30]}, cv=3, n_jobs=-1).fit(train[::3], labels[::3])
model = SVC(kernel="rbf", gamma="scale", C=search.best_params_["C"]).fit(train, labels)
accuracy = model.score(pixels(options.test[0]), idx(options.test[1]))
print(json.dumps({"sklearn": sklearn.__version__, "accuracy": accuracy, **search.best_params_,
                  "seconds": time.perf_counter() - start}))
