"""Identifiers that stay apart."""

from skyaccept.lib.export.keys import unique_keys


def test_different_names_keep_their_identifiers() -> None:
    assert unique_keys({("a",): "A", ("b",): "B"}) == {("a",): "A", ("b",): "B"}


def test_names_that_would_share_one_get_a_digest() -> None:
    found = unique_keys({("a",): "X", ("b",): "X", ("c",): "C"})
    assert found["c",] == "C"
    assert len(set(found.values())) == 3
    assert all(found[name].startswith("X_") and len(found[name]) == 8 for name in (("a",), ("b",)))
    assert found == unique_keys({("b",): "X", ("a",): "X", ("c",): "C"})
