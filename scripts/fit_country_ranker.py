#!/usr/bin/python3
"""Fits the weights of the country ranker and writes classifier_service/country_tagger_weights.h.

    scripts/join_labels.py > build/labelled.jsonl
    T=build/release/bin/countries_tool G=classifier_service/data/gazetteer/gazetteer.tsv
    $T features $G build/labelled.jsonl > build/labelled.features
    $T features $G $DATELINE_SHARED/data/articles/gold.jsonl.zst > build/gold.features
    scripts/fit_country_ranker.py build/labelled.features build/gold.features [--write]

The tool that serves computes the features, so that training and serving cannot differ. Fitted on the labels that were made
for this project (classifier_service/data/labels) and on nothing else; the threshold is chosen on them, each article judged
by a model that had not seen it. Prints precision, recall, F1 and calibration there and for each part of `gold`, with the
labels of the same source left out of training. (Earlier weights had been fitted to two thirds of `gold`, so that the
features were chosen on it; the weights written here never saw it.) Without --write, writes nothing. Plain Python: the
problem has two dozen unknowns.
"""

import argparse
import collections
import hashlib
import json
import math
import os

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADER = os.path.join(ROOT, "classifier_service", "country_tagger_weights.h")
RIDGE = 1.0
FOLDS = 5
# For a country that is not in the title while two or more heavier ones are. Chosen on the labels, crossed: of 8 such
# countries with a probability from 0.5 to 0.8, 2 are right.
CROWDED_THRESHOLD = 0.7


def fold_of(article):
    return int(hashlib.sha256(("fold" + article["id"]).encode()).hexdigest(), 16) % FOLDS


# The sources of `gold`, and the source of labels that each shares articles' publisher with.
SHARED_SOURCE = {"wikinews": None, "mena": None, "allsides": "allsides", "cfi": "cfi"}


def family(article):
    return {"English Wikinews": "wikinews", "en-worldwide-newswire": "mena",
            "CFI.co (Capital Finance International)": "cfi",
            "Gulf International Forum (seed page)": "seed"}.get(article["source"], "allsides")


def sigmoid(value):
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, value))))


def solve(matrix, vector):
    """Gaussian elimination with pivoting."""
    size = len(vector)
    rows = [matrix[i][:] + [vector[i]] for i in range(size)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(i + 1, size):
            factor = rows[j][i] / rows[i][i]
            if factor:
                for k in range(i, size + 1):
                    rows[j][k] -= factor * rows[i][k]
    result = [0.0] * size
    for i in reversed(range(size)):
        result[i] = (rows[i][size] - sum(rows[i][k] * result[k] for k in range(i + 1, size))) / rows[i][i]
    return result


def examples(articles):
    for article in articles:
        for code, features in sorted(article["candidates"].items()):
            yield features + [1.0], 1.0 if code in article["countries"] else 0.0


def fit(articles):
    """Newton's method for the ridge logistic regression; the constant, last, is not shrunk."""
    data = list(examples(articles))
    size = len(data[0][0])
    weights = [0.0] * size
    for _ in range(12):
        hessian = [[RIDGE if i == j and i < size - 1 else 1e-9 if i == j else 0.0 for j in range(size)]
                   for i in range(size)]
        gradient = [-RIDGE * weights[i] if i < size - 1 else 0.0 for i in range(size)]
        for x, y in data:
            p = sigmoid(sum(a * b for a, b in zip(weights, x)))
            error, curve = y - p, p * (1.0 - p)
            for i in range(size):
                xi = x[i]
                if xi:
                    gradient[i] += error * xi
                    row, cx = hessian[i], curve * xi
                    for j in range(i + 1):
                        row[j] += cx * x[j]
        for i in range(size):
            for j in range(i + 1, size):
                hessian[i][j] = hessian[j][i]
        step = solve(hessian, gradient)
        weights = [w + s for w, s in zip(weights, step)]
        if max(abs(s) for s in step) < 1e-6:
            break
    return weights


def predict(weights, article):
    return {code: sigmoid(sum(a * b for a, b in zip(weights, features + [1.0])))
            for code, features in article["candidates"].items()}


def measure(scored, threshold):
    """Micro precision, recall, F1, and how often the best tag is right, over (article, probabilities) pairs."""
    true = given = right = first = with_gold = 0
    for article, probabilities in scored:
        tags = {code for code, p in probabilities.items() if round(p, 4) >= (
            max(threshold, CROWDED_THRESHOLD) if article["candidates"][code][-1] >= 2 else threshold)}
        gold = set(article["countries"])
        true, given, right = true + len(gold), given + len(tags), right + len(gold & tags)
        if gold:
            with_gold += 1
            first += bool(tags) and max(tags, key=lambda c: probabilities[c]) in gold
    precision, recall = right / max(given, 1), right / max(true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9), first / max(with_gold, 1)


def calibration(scored):
    """Expected calibration error in ten bins, over predictions of 0.05 and more."""
    bins = collections.defaultdict(list)
    for article, probabilities in scored:
        for code, p in probabilities.items():
            if p >= 0.05:
                bins[min(int(p * 10), 9)].append((p, code in article["countries"]))
    total = sum(len(items) for items in bins.values())
    return sum(abs(sum(p for p, _ in items) - sum(y for _, y in items)) for items in bins.values()) / max(total, 1)


def show(name, scored, threshold):
    precision, recall, f1, first = measure(scored, threshold)
    empty = [(a, p) for a, p in scored if not a["countries"]]
    silent = [(a, p) for a, p in scored if all(round(q, 4) < threshold for q in p.values())]
    both = sum(1 for a, _ in silent if not a["countries"])
    print(f"{name:24} n={len(scored):4}  P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}  primary right {first:.3f}  "
          f"ECE {calibration(scored):.3f}  abstained {both}/{len(silent)} rightly of {len(empty)}")


def read(path):
    with open(path, encoding="utf-8") as file:
        names = json.loads(file.readline())["feature_names"]
        return names, [a for a in map(json.loads, file) if "id" in a and a["labelled"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labelled")
    parser.add_argument("gold")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    names, train = read(options.labelled)
    _, gold = read(options.gold)

    scored = []
    for fold in range(FOLDS):
        weights = fit([a for a in train if fold_of(a) != fold])
        scored += [(a, predict(weights, a)) for a in train if fold_of(a) == fold]
    # The curve of F1 is flat from 0.35 to 0.6, and its best point changes with every change of a feature; where
    # probabilities are calibrated, 0.5 asks for more right than wrong tags.
    threshold = 0.5
    best = max(measure(scored, t / 100)[2] for t in range(15, 86))
    print(f"threshold {threshold}; the best F1 of any threshold would be {best:.3f}")
    show("labels, crossed", scored, threshold)
    for name in sorted({a["source"] for a in train}):
        show("  " + name, [(a, p) for a, p in scored if a["source"] == name], threshold)
    pooled = []
    for name, source in SHARED_SOURCE.items():
        others = fit([a for a in train if a["source"] != source])
        left = [(a, predict(others, a)) for a in gold if family(a) == name]
        pooled += left
        show("gold, left out: " + name, left, threshold)
    show("gold, pooled", pooled, threshold)
    weights = fit(train)
    for name, weight in zip(names + ["constant"], weights):
        print(f"  {name:16} {weight:8.4f}")
    if not options.write:
        return
    with open(HEADER, "w", encoding="utf-8") as out:
        out.write(f"""// Written by scripts/fit_country_ranker.py --write: do not edit.
//
// Fitted on the {len(train)} articles of classifier_service/data/labels.
#ifndef DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
#define DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_

#include <array>

namespace dateline::classifier::ranker {{

inline constexpr double kThreshold = {threshold};
inline constexpr double kCrowdedThreshold = {CROWDED_THRESHOLD};
inline constexpr double kConstant = {weights[-1]:.4f};
inline constexpr std::array<double, {len(names)}> kWeights = {{
""")
        out.write("".join(f"    {weight:.4f},  // {name}\n" for name, weight in zip(names, weights)))
        out.write("""};

}  // namespace dateline::classifier::ranker

#endif  // DATELINE_CLASSIFIER_SERVICE_COUNTRY_TAGGER_WEIGHTS_H_
""")


if __name__ == "__main__":
    main()
