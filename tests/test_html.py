from twinloop.html import table


def test_every_text_of_a_table_is_escaped():
    face = table("<b>caption</b>", ("<i>head</i>", "&"), [("<script>alert(1)</script>", '"')])
    for tag in ("<b>", "<i>", "<script"):
        assert tag not in face
    assert "&lt;script&gt;" in face
    assert face.count("<th ") == face.count("<td ") == 2


def test_names_are_left_and_numbers_right():
    first, second = table("", ("", ""), [("press", "12")]).split("<td ")[1:]
    assert "left" in first
    assert "right" in second
