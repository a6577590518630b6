import numpy as np

from twinloop.replication.streams import Streams


def test_a_stream_belongs_to_its_entity_purpose_replication_and_seed():
    first = {
        Streams(seed, replication).generator(entity, purpose).random()
        for seed in (1, 2)
        for replication in (0, 1)
        for entity in ("press", "camera")
        for purpose in ("cycle", "repair")
    }
    assert len(first) == 16
    assert Streams(1, 0).generator("press", "cycle").random() in first


def test_streams_of_two_purposes_are_not_correlated():
    streams = Streams(1, 0)
    left, right = (streams.generator("press", purpose).standard_normal(20_000) for purpose in ("cycle", "repair"))
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.03


def test_numbers_of_parts_do_not_depend_on_the_order_in_which_they_are_asked_for():
    forward, backward = Streams(1, 0).by_part("class", "uniform"), Streams(1, 0).by_part("class", "uniform")
    assert [forward[part] for part in range(1000)] == [backward[part] for part in reversed(range(1000))][::-1]


def test_the_first_number_of_a_stream_is_the_same_for_good():
    # Golden: a change here changes every result that was ever published.
    assert round(Streams(1, 0).generator("press", "cycle").random(), 12) == 0.08974106724
