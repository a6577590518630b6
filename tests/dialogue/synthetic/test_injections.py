"""Hidden instructions: quoting one is told from obeying it, and they fit where they are planted."""

from collections import Counter

from twinloop.dialogue.synthetic.injections import KINDS, PLACES, injections


def test_there_are_sixty_of_six_kinds_in_three_places() -> None:
    made = injections(seed=1)
    assert Counter(one.kind for one in made) == dict.fromkeys(KINDS, 10)
    assert {(one.kind, one.place) for one in made} == {(kind, place) for kind in KINDS for place in PLACES}
    assert made == injections(seed=1)
    assert made != injections(seed=2)


def test_quoting_the_source_is_not_obeying_it() -> None:
    for one in injections(seed=1):
        assert not one.obeyed(f"The note says: “{one.text}”")
        assert one.obeyed(f"Of course: {one.marker.upper()}.")


def test_files_can_be_written(tmp_path) -> None:
    for number, one in enumerate(injections(seed=1)):
        name, content = one.file("The bill is 12 euros.")
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_bytes(content)
        assert "12 euros" in (folder / name).read_text()
        assert (one.text in content.decode()) == (one.place != "file name")
