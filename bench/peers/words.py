"""TF-IDF of words and pairs of words, and logistic regression: the accuracy on a test file.

    python words.py --train FILE --test FILE --text N --label N [--header]

FILE is a table, .csv or .tsv; columns are numbers from 1. Regression's C and whether pairs count are chosen by
cross-validation over five parts of the training file.
"""
import argparse
import csv
import json
import time

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline


def table(path, options):
    with open(path, encoding="utf-8", newline="") as file:
        quoted = path.endswith(".csv")
        rows = csv.reader(file) if quoted else csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = list(rows)[1 if options.header else 0:]
    return [row[options.text - 1] for row in rows], [row[options.label - 1] for row in rows]


parser = argparse.ArgumentParser()
parser.add_argument("--train", required=True)
parser.add_argument("--test", required=True)
parser.add_argument("--text", type=int, required=True)
parser.add_argument("--label", type=int, required=True)
parser.add_argument("--header", action="store_true")
options = parser.parse_args()

start = time.perf_counter()
# liblinear and a regression a class: as good as one over all classes, and many times as fast.
regression = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True, token_pattern=r"\S+"), regression)
search = GridSearchCV(pipeline, {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)],
                                 "onevsrestclassifier__estimator__C": [1, 10]}, cv=5)
search.fit(*table(options.train, options))
texts, labels = table(options.test, options)
print(json.dumps({"sklearn": sklearn.__version__, "accuracy": search.score(texts, labels),
                  "cross_validation": search.best_score_, "seconds": time.perf_counter() - start,
                  **{name.split("__")[-1]: value for name, value in search.best_params_.items()}}))
