import pytest

from components.practice.engine import schema
from components.practice.engine.schema import RefusedError


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "an integer"),
        (1.5, "a decimal"),
        ("x", "a string"),
        ([], "an array"),
        ({}, "an object"),
        (b"x", "something else"),
    ],
)
def test_kind_names_every_json_type(value: object, words: str) -> None:
    assert schema.kind(value) == words


POINT = schema.record({"x": schema.integer(0, 9)}, {"name": schema.string(3)})
SHAPE = schema.tagged("type", {"dot": schema.record({"type": schema.anything})}, "Only dots.")


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (schema.string(3), "abc"),
        (schema.string(pattern="[a-z]+"), "abc"),
        (schema.integer(1, 3), 3),
        (schema.number(0, 1), 0),
        (schema.number(0, 1), 0.5),
        (schema.boolean, False),
        (schema.mapping, {"any": {"thing": [1]}}),
        (schema.one_of("a", "b"), "b"),
        (schema.nullable(schema.boolean), None),
        (schema.nullable(schema.boolean), True),
        (schema.array(schema.integer(0, 9)), [1, 2]),
        (POINT, {"x": 1}),
        (POINT, {"x": 1, "name": "p"}),
        (SHAPE, {"type": "dot"}),
    ],
)
def test_what_fits_is_accepted(check: schema.Check, value: object) -> None:
    check(value, "v")


@pytest.mark.parametrize(
    ("check", "value", "code", "param"),
    [
        (schema.string(3), 7, "invalid_type", "v"),
        (schema.string(3), "long", "invalid_value", "v"),
        (schema.string(3, shortest=1), "", "invalid_value", "v"),
        (schema.string(pattern="[a-z]+"), "A", "invalid_value", "v"),
        (schema.integer(1, 3), 2.0, "invalid_type", "v"),
        (schema.integer(1, 3), True, "invalid_type", "v"),
        (schema.integer(1, 3), 4, "invalid_value", "v"),
        (schema.number(0, 1), "1", "invalid_type", "v"),
        (schema.number(0, 1), False, "invalid_type", "v"),
        (schema.number(0, 1), -0.1, "invalid_value", "v"),
        (schema.number(0, 1), float("nan"), "invalid_value", "v"),
        (schema.boolean, 1, "invalid_type", "v"),
        (schema.mapping, [], "invalid_type", "v"),
        (schema.one_of("a"), 1, "invalid_type", "v"),
        (schema.one_of("a"), "c", "invalid_value", "v"),
        (schema.array(schema.boolean), {}, "invalid_type", "v"),
        (schema.array(schema.boolean, most=1), [True, True], "invalid_value", "v"),
        (schema.array(schema.boolean), [True, 1], "invalid_type", "v[1]"),
        (POINT, [], "invalid_type", "v"),
        (POINT, {}, "missing_required_parameter", "v.x"),
        (POINT, {"x": 1, "y": 2}, "unknown_parameter", "v.y"),
        (POINT, {"x": 10}, "invalid_value", "v.x"),
        (SHAPE, "dot", "invalid_type", "v"),
        (SHAPE, {}, "missing_required_parameter", "v.type"),
        (SHAPE, {"type": "line"}, "invalid_value", "v.type"),
        (SHAPE, {"type": ["dot"]}, "invalid_type", "v.type"),
    ],
)
def test_what_does_not_fit_is_named(
    check: schema.Check, value: object, code: str, param: str
) -> None:
    with pytest.raises(RefusedError) as refusal:
        check(value, "v")

    assert (refusal.value.code, refusal.value.param) == (code, param)


def test_paths_at_the_top_have_no_leading_dot() -> None:
    with pytest.raises(RefusedError) as record:
        POINT({}, "")
    with pytest.raises(RefusedError) as tagged:
        SHAPE({}, "")

    assert (record.value.param, tagged.value.param) == ("x", "type")


def test_messages_name_the_choices_and_the_reason() -> None:
    with pytest.raises(RefusedError) as refusal:
        schema.one_of("a", "b", "c", why="No more.")("d", "v")
    with pytest.raises(RefusedError) as lonely:
        schema.one_of("a")("d", "v")

    assert refusal.value.message == (
        "Invalid value: 'd'. Supported values are: 'a', 'b' and 'c'. No more."
    )
    assert lonely.value.message == "Invalid value: 'd'. Supported values are: 'a'."


def test_endless_nesting_is_refused() -> None:
    nested: object = {}
    for _ in range(schema.DEEPEST):
        nested = {"inner": [nested]}

    with pytest.raises(RefusedError, match="nested too deeply"):
        schema.mapping(nested, "v")
