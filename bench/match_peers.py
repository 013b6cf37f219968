"""The peers of the benchmark `match`, in a Python of their own: recordlinkage and Splink on files that `match` wrote.

    python bench/match_peers.py recordlinkage|splink febrl|people FOLDER

FOLDER holds `<source>.csv` with the columns `source`, `code`, `truth` and those to compare; prints one JSON line with the seconds
from rows in memory to clusters, and the pairs that were right (`tp`), found and there.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

Frames = dict[str, Any]
Clusters = dict[str, Any]


def main(peer: str, case: str, folder: str) -> None:
    """Run one peer on one case."""
    import pandas as pd  # type: ignore[import-untyped]

    files = sorted(Path(folder).glob("*.csv"))
    frames = {file.stem: pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""]) for file in files}
    start = time.perf_counter()
    pairs_or_clusters = {"recordlinkage": _recordlinkage, "splink": _splink}[peer](case, frames)
    seconds = time.perf_counter() - start
    truth = {row.code: row.truth for frame in frames.values() for row in frame.itertuples()}
    print(json.dumps({"seconds": seconds, **_judged(pairs_or_clusters, truth)}))


def _judged(clusters: Clusters, truth: dict[str, str]) -> dict[str, int]:
    """Pairs of records within clusters, held against those of the truth."""
    mine = {code: str(clusters.get(code, code)) for code in truth}
    counted: dict[str, Counter[Any]] = {
        "tp": Counter((mine[code], person) for code, person in truth.items()),
        "found": Counter(mine.values()),
        "there": Counter(truth.values()),
    }
    return {name: sum(n * (n - 1) // 2 for n in counts.values()) for name, counts in counted.items()}


def _recordlinkage(case: str, frames: Frames) -> Clusters:
    """Blocks as `match` has them where they are whole fields, comparisons by its own methods, weights by its ECM classifier."""
    import recordlinkage  # type: ignore[import-not-found]

    assert case == "febrl"
    first, second = (frame.set_index("code") for frame in frames.values())
    indexer = recordlinkage.Index()
    for block in (
        ["soc_sec_id"],
        ["given_name", "surname"],
        ["date_of_birth"],
        ["postcode", "surname"],
        ["postcode", "given_name"],
    ):
        indexer.block(block)
    pairs = indexer.index(first, second)
    compare = recordlinkage.Compare()
    for name in ("given_name", "surname", "address_1", "suburb"):
        compare.string(name, name, method="jarowinkler", threshold=0.85)
    for name in ("soc_sec_id", "date_of_birth", "postcode", "state"):
        compare.exact(name, name)
    vectors = compare.compute(pairs, first, second)
    matches = recordlinkage.ECMClassifier().fit_predict(vectors)
    return {code: number for number, pair in enumerate(matches) for code in pair}


def _febrl(cl: Any) -> tuple[list[Any], ...]:
    """What is compared, where records meet, and what is learned on, as in Splink's example."""
    comparisons = [
        cl.NameComparison("given_name"),
        cl.NameComparison("surname"),
        cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
        cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
        cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
        cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
    ]
    blocks = [
        ["soc_sec_id"],
        ["given_name", "surname"],
        ["date_of_birth"],
        ["postcode", "surname"],
        ["postcode", "given_name"],
    ]
    train = [["date_of_birth"], ["postcode", "surname"]]
    sure = [["soc_sec_id"], ["given_name", "surname", "date_of_birth"]]
    return comparisons, blocks, train, sure


def _people(cl: Any) -> tuple[list[Any], ...]:
    """The like for made people."""
    comparisons = [
        cl.DamerauLevenshteinAtThresholds("id_card", [1, 2]),
        cl.JaroWinklerAtThresholds("name", [0.9, 0.6]).configure(term_frequency_adjustments=True),
        cl.DamerauLevenshteinAtThresholds("born", [1, 2]),
        cl.ExactMatch("phone"),
        cl.JaroWinklerAtThresholds("address", [0.95, 0.85]),
    ]
    blocks = [["id_card"], ["name", "born"], ["phone"], ["name", "address"], ["born", "address"]]
    train = [["phone"], ["name", "born"]]
    sure = [["id_card"]]
    return comparisons, blocks, train, sure


def _splink(case: str, frames: Frames) -> Clusters:
    """The settings of Splink's own example for FEBRL4, and the like for made people; clusters at the probability 0.99."""
    import logging

    import splink.comparison_library as cl  # type: ignore[import-not-found]
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    comparisons, blocks, train, sure = _febrl(cl) if case == "febrl" else _people(cl)
    kind = "link_only" if case == "febrl" else "link_and_dedupe"
    rules = [block_on(*names) for names in blocks]
    settings = SettingsCreator(
        link_type=kind, unique_id_column_name="code", comparisons=comparisons, blocking_rules_to_generate_predictions=rules
    )
    linker = _linker(Linker, settings, frames, DuckDBAPI)
    linker.training.estimate_probability_two_random_records_match([block_on(*names) for names in sure], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1_000_000, seed=1)
    for names in train:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*names))
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.99)
    rows = clusters.as_pandas_dataframe()
    return dict(zip(rows["code"], rows["cluster_id"], strict=True))


def _linker(make: Any, settings: Any, frames: Frames, api: Any) -> Any:
    """Splink 5 registers the frames with its engine first; Splink 4 takes them as they are."""
    engine = api()
    if hasattr(engine, "register"):
        return make([engine.register(frame, dataset_display_name=name) for name, frame in frames.items()], settings)
    return make(list(frames.values()), settings, engine, input_table_aliases=list(frames))


if __name__ == "__main__":
    main(*sys.argv[1:4])
