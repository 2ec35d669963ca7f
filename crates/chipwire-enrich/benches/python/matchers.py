"""Times FlashText and spaCy's PhraseMatcher: see `run`."""

import json
import pathlib
import sys
import time

import flashtext
import spacy
from spacy.matcher import PhraseMatcher

ROUNDS = 3

folder = pathlib.Path(sys.argv[1])
names = json.loads((folder / "names.json").read_text())
texts = json.loads((folder / "texts.json").read_text())


def fastest(work):
    """The seconds of the fastest round over all texts."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for text in texts:
            work(text)
        taken.append(time.perf_counter() - start)
    return min(taken)


processor = flashtext.KeywordProcessor(case_sensitive=True)
for name in names:
    processor.add_keyword(name)
print("FlashText", fastest(lambda text: processor.extract_keywords(text, span_info=True)), sep="\t", flush=True)
del processor

nlp = spacy.blank("en")
matcher = PhraseMatcher(nlp.vocab)
matcher.add("NAME", list(nlp.tokenizer.pipe(names)))
print("spaCy PhraseMatcher, tokenising", fastest(lambda text: matcher(nlp.make_doc(text))), sep="\t", flush=True)
