"""Makes weights.txt from the units of sentences.jsonl (see README.md)."""

import json
import sys
from collections import Counter
from hashlib import sha256

import numpy
import snowballstemmer
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

KINDS = [
    "export_restriction",
    "sanction",
    "tariff",
    "subsidy",
    "earnings",
    "product_launch",
    "supply_deal",
    "investment",
    "acquisition",
    "capacity_expansion",
    "lawsuit",
]
RESTRICTIONS = {"export_restriction", "sanction", "tariff"}
STATUSES = ["announced", "planned", "considered", "denied", "eased", "kept", "ended"]
# Units and pairs that fewer sentences have get no weight.
LEAST = 2
# The strength of the penalty on large weights, the smaller the stronger: of those that say what is told, and of the others.
C, C_OTHERS = 1.0, 2.0
# Smaller weights are left out, in hundredths: of those that say what is told, and of the others.
SMALL, SMALL_OTHERS = 12, 20
stemmer = snowballstemmer.stemmer("english")
stems = {}


def stem(word):
    """The stem of a word; of what is no word, itself."""
    if word[0] in "@#":
        return word
    if word not in stems:
        stems[word] = stemmer.stemWord(word)
    return stems[word]


class Sentence:
    """What one sentence of a text is trained with."""

    def __init__(self, units, happenings, places):
        self.words = [unit for unit, _, _ in units]
        self.row = [stem(word) for word in self.words]
        self.features = {(unit,) for unit in self.row} | set(zip(self.row, self.row[1:]))
        self.happenings = happenings
        # Which units are among the words that tell a happening.
        self.inside = [any(start < end and first < stop for first, end in places) for _, start, stop in units]


def is_turned(text, happening, middle):
    """Whether whom it is done to stands before the words that tell it, or who does it behind; nothing if neither is named."""

    def before(role):
        names = happening.get(role)
        at = text.find(names.split(" + ")[0].encode()) if names else -1
        return None if at < 0 else at < middle

    who, whom = before("who"), before("whom")
    if who is not None and whom is not None:
        return whom if who != whom else None
    return whom if whom is not None else None if who is None else not who


def read(path):
    """The sentences of the texts, each with the happenings whose words are in it."""
    sentences = []
    for line in open(path, encoding="utf-8"):
        entry = json.loads(line)
        text = entry["t"].encode()
        for units in filter(None, entry["u"]):
            first, last = units[0][1], units[-1][2]
            told, places = [], []
            for happening in entry["h"]:
                words = happening["w"].encode()
                start = text.find(words)
                middle = start + len(words) // 2
                if first <= middle <= last or len(entry["u"]) == 1:
                    places.append((start, start + len(words)))
                    told.append((happening["k"], happening["s"], is_turned(text, happening, middle)))
            sentences.append(Sentence(units, told, places))
    return sentences


def matrix(sentences, numbers):
    """One row for each sentence, one column for each of its features that has a number."""
    rows, columns = [], []
    for row, sentence in enumerate(sentences):
        found = [numbers[feature] for feature in sentence.features if feature in numbers]
        rows += [row] * len(found)
        columns += found
    return sparse.csr_matrix((numpy.ones(len(rows)), (rows, columns)), shape=(len(sentences), len(numbers)))


def numbered(sentences):
    """The features that are frequent enough, numbered."""
    counts = Counter(feature for sentence in sentences for feature in sentence.features)
    return {feature: at for at, feature in enumerate(sorted(f for f, count in counts.items() if count >= LEAST))}


def columns(sentences):
    """Each column of weights: its name, the sentences that it is trained with, and which of them have it."""
    everything = numpy.arange(len(sentences))
    for kind in KINDS:
        yield f"tells:{kind}", everything, numpy.array([any(k == kind for k, _, _ in s.happenings) for s in sentences])
    for kind in KINDS:
        known = [
            (at, turned) for at, s in enumerate(sentences) for k, _, turned in s.happenings if k == kind and turned is not None
        ]
        yield f"turned:{kind}", numpy.array([at for at, _ in known]), numpy.array([turned for _, turned in known])
    for status in STATUSES:
        # A status that only restrictions have, or only others, is told from the others among these.
        only = {"eased": True, "kept": True, "ended": False}.get(status)
        told = [(at, k, s) for at, sentence in enumerate(sentences) for k, s, _ in sentence.happenings]
        known = [(at, s) for at, k, s in told if only is None or (k in RESTRICTIONS) == only]
        yield f"is:{status}", numpy.array([at for at, _ in known]), numpy.array([s == status for _, s in known])


def fit(rows, told, c=C):
    """The weights and the bias of one column."""
    model = LogisticRegression(C=c, max_iter=1000, solver="liblinear", random_state=0).fit(rows, told)
    return model.coef_[0], model.intercept_[0]


def places(sentences):
    """How much each unit speaks for standing among the words that tell a happening, of sentences that tell one."""
    inside, outside = Counter(), Counter()
    for sentence in filter(lambda sentence: sentence.happenings, sentences):
        for unit, within in zip(sentence.row, sentence.inside):
            (inside if within else outside)[unit] += 1
    prior = numpy.log(inside.total() / outside.total())
    return {unit: numpy.log((inside[unit] + 0.5) / (outside[unit] + 0.5)) - prior for unit in inside | outside}


def evaluate(sentences):
    """Five times four fifths are trained with and the others judged: prints precision and recall."""
    order = numpy.random.RandomState(0).permutation(len(sentences))
    score = numpy.zeros((len(sentences), len(KINDS)))
    told = numpy.zeros_like(score, dtype=bool)
    for judged in numpy.array_split(order, 5):
        trained = [sentences[at] for at in numpy.setdiff1d(order, judged)]
        numbers = numbered(trained)
        rows, others = matrix(trained, numbers), matrix([sentences[at] for at in judged], numbers)
        for column, (_, which, has) in zip(range(len(KINDS)), columns(trained)):
            weights, bias = fit(rows[which], has)
            score[judged, column] = others @ weights + bias
    for column, (_, _, has) in zip(range(len(KINDS)), columns(sentences)):
        told[:, column] = has
    for column, kind in enumerate(KINDS):
        average = average_precision_score(told[:, column], score[:, column])
        print(f"{kind:<20} {told[:, column].sum():5} sentences, average precision {average:.3f}")
    print(f"{'all':<20} {told.sum():5} average precision {average_precision_score(told.ravel(), score.ravel()):.3f}")
    for least in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        found = score > numpy.log(least / (1 - least))
        right = (found & told).sum()
        print(f"probability above {least}: precision {right / found.sum():.3f}, recall {right / told.sum():.3f}")


def regular(known):
    """What other forms the words of a stem have: all of a verb where one with an ending is known, the plural of other words."""
    verbs = {word[:-2] for word in known if word.endswith("ed")} | {word[:-3] for word in known if word.endswith("ing")}
    verbs = {base if base in known or base + "e" not in known else base + "e" for base in verbs}
    for base in verbs | known:
        if base.endswith(("ed", "ing", "s", "ly")) or len(base) < 3:
            continue
        hisses = base.endswith(("ch", "sh", "x", "z"))
        yield base + ("es" if hisses else "s") if base[-1] != "y" or base[-2] in "aeiou" else base[:-1] + "ies"
        if base in verbs:
            short = base.removesuffix("e")
            yield from (base, short + "ing", base[:-1] + "ied" if base[-1] == "y" and base[-2] not in "aeiou" else short + "ed")


def write(sentences, digest, path):
    """Trains with all sentences and writes the weights."""
    numbers = numbered(sentences)
    rows = matrix(sentences, numbers)
    features = sorted(numbers, key=numbers.get)
    names, biases, cells = [], [], [[] for _ in features]
    for at, (name, which, has) in enumerate(columns(sentences)):
        weights, bias = fit(rows[which], has, C if name.startswith("tells") else C_OTHERS)
        names.append(name)
        biases.append(round(100 * bias))
        for feature, weight in enumerate(numpy.rint(100 * weights).astype(int)):
            if abs(weight) >= (SMALL if name.startswith("tells") else SMALL_OTHERS):
                cells[feature].append(f"{at} {weight}")
    names.append("place")
    biases.append(0)
    for (unit,), weight in ((feature, weight) for unit, weight in places(sentences).items() if (feature := (unit,)) in numbers):
        if abs(round(100 * weight)) >= SMALL_OTHERS:
            cells[numbers[(unit,)]].append(f"{len(names) - 1} {round(100 * weight)}")
    used = {unit for feature, of in zip(features, cells) if of for unit in feature}
    words = {}
    for word in {word for sentence in sentences for word in sentence.words if word[0] not in "@#"}:
        if stem(word) in used:
            words.setdefault(stem(word), set()).add(word)
    for root, known in words.items():
        known |= {word for word in regular(known) if word.isascii() and word.isalpha() and stem(word) == root}
    with open(path, "w", encoding="utf-8") as file:
        print(f"# Made by `telling/train` from sentences.jsonl ({digest}); weights in hundredths. See README.md.", file=file)
        print("columns", *names, sep="\t", file=file)
        print("bias", *biases, sep="\t", file=file)
        for root in sorted(words):
            print("stem", root, *sorted(words[root]), sep="\t", file=file)
        for feature, of in zip(features, cells):
            if of:
                print("one" if len(feature) == 1 else "two", *feature, *of, sep="\t", file=file)


def main():
    units, source, path = sys.argv[1:]
    sentences = read(units)
    print(f"{len(sentences)} sentences")
    evaluate(sentences)
    digest = sha256(open(source, "rb").read()).hexdigest()
    write(sentences, digest, path)


if __name__ == "__main__":
    main()
