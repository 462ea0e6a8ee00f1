"""A layout as a table for people, made from the same declaration that reads and writes."""

from bursarbridge.formats.shape import Align, Blank, Credits, Field, FieldKind, Form, Layout, Record, Sign


def columns_table(layout: Layout) -> str:
    """The layout's columns as a Markdown table, one row per field, ending with a newline; docs/systems/*.md carry it word for word."""
    place = "Columns" if layout.form is Form.FIXED else "Column"
    lines = [f"| Record | {place} | Field | Written as | Note |", "|---|---|---|---|---|"]
    for record in layout.records:
        lines += [_row(layout, record, at, field) for at, field in enumerate(record.fields, 1)]
    return "\n".join(lines) + "\n"


def _row(layout: Layout, record: Record, at: int, field: Field) -> str:
    place = str(at) if layout.form is Form.DELIMITED else f"{field.start}-{field.end if field.width else ''}"
    name = field.name if field.carries else f"({field.name})"
    title = f'{name} "{field.title}"' if field.title else name
    return f"| {record.kind} | {place} | {title} | {_written(layout, field)} | {field.about} |"


def _written(layout: Layout, field: Field) -> str:
    if field.blank is Blank.ALWAYS:
        return "always blank"
    said = [_kind(field)]
    if layout.form is Form.FIXED and field.width and field.kind not in (FieldKind.LITERAL, FieldKind.DATE, FieldKind.CHOICE):
        said.append(_padding(field))
    elif layout.form is Form.DELIMITED and field.width:
        said.append(f"exactly {field.width}" if field.pad == "" else f"at most {field.width}")
    if field.blank is Blank.ALLOWED:
        said.append("may be blank")
    return ", ".join(said)


def _kind(field: Field) -> str:
    if field.kind is FieldKind.LITERAL:
        return f"`{field.literal}`"
    if field.kind is FieldKind.DATE:
        return " or ".join(field.dates)
    if field.kind is FieldKind.CHOICE:
        return ", ".join(f"{word} `{text}`" for word, text in field.choices)
    if field.kind is FieldKind.AMOUNT:
        return _amount(field)
    return str(field.kind)


def _amount(field: Field) -> str:
    words = {Sign.UNSIGNED: "amount, never negative", Sign.SIGNED: "amount, minus when negative", Sign.ABSOLUTE: "amount without its sign"}[
        field.sign
    ]
    cents = "" if field.point else ", in cents without a point"
    return words + cents + (", negative for credits" if field.credits is Credits.NEGATIVE else "")


def _padding(field: Field) -> str:
    if field.pad == "":
        return f"exactly {field.width}"
    side = "right" if field.align is Align.RIGHT else "left"
    return "zeros before" if field.pad == "0" else f"{side}-justified"
