"""Draws docs/images/places.svg: where money can be on its way, and who moves it next. `./dev python tools/picture.py` writes it again."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "places.svg"
WIDTH, HEIGHT = 1000, 520
INK, SOFT, LINE, PAPER = "#15202B", "#4C5966", "#76828E", "#FFFFFF"
FONT = 'font-family="Segoe UI, Helvetica, Arial, sans-serif"'
BOX_WIDTH, BOX_HEIGHT = 250, 96
LEFT, MIDDLE, RIGHT = 40, 375, 710
TOP, BOTTOM, LAST = 84, 264, 396


@dataclass(frozen=True)
class Box:
    """One place: its word, what is true there, who moves next, and its colours."""

    x: int
    y: int
    word: str
    truth: str
    mover: str
    edge: str
    fill: str
    height: int = BOX_HEIGHT


SOURCE = Box(LEFT, TOP, "source", "assessed; the bursar does not know", "our next charge run", "#945D00", "#FFF0D0")
OUT = Box(MIDDLE, TOP, "in_transit", "in a charge file that left", "the bursar's answer", "#1366C2", "#E4EFFC")
BURSAR = Box(RIGHT, TOP, "bursar", "open on the student account", "the student", "#1366C2", "#E4EFFC")
PAID = Box(RIGHT, BOTTOM, "paid", "the library does not know yet", "our next payment run", "#945D00", "#FFF0D0")
BACK = Box(MIDDLE, BOTTOM, "in_transit", "in a payment file for Alma", "Alma's next import", "#1366C2", "#E4EFFC")
SETTLED = Box(LEFT, BOTTOM, "settled", "paid, and both sides know", "nobody", "#00594B", "#DFF3EC")
CREDIT = Box(RIGHT, LAST, "student_credit", "paid beyond what was owed", "the cashier", "#626C77", "#ECEFF2", 84)
BOXES = (SOURCE, OUT, BURSAR, PAID, BACK, SETTLED, CREDIT)


def picture() -> str:
    """The whole SVG document: texts, boxes and arrows, no script, no style sheet, nothing fetched."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title desc">',
        '<title id="title">Where a library fee\'s money is, and who moves it next</title>',
        '<desc id="desc">A fee goes from source through in transit to bursar; a payment goes from paid through in transit to settled. '
        "A refused charge goes back to source, a returned check back to bursar, and what is paid beyond the fee becomes student credit.</desc>",
        _marker(),
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="{PAPER}"/>',
        *(_lane(x, words) for x, words in ((LEFT, "Library (Alma)"), (MIDDLE, "on its way"), (RIGHT, "Bursar (PeopleSoft)"))),
        *(line for box in BOXES for line in _box(box)),
        *_arrows(),
        _text(LEFT, 456, "Every move is a line in the ledger: obligation, from, to, cents, why.", INK, 14, "600"),
        _text(LEFT, 478, "What came in equals what is in the boxes, for each fee and for the whole", SOFT, 14),
        _text(LEFT, 497, "campus. The difference nobody can explain is 0.00.", SOFT, 14),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _marker() -> str:
    path = f'<path d="M0 0 10 5 0 10z" fill="{LINE}"/>'
    return f'<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">{path}</marker></defs>'


def _lane(x: int, words: str) -> str:
    return _text(x + BOX_WIDTH // 2, 46, words, SOFT, 16, "600", "middle")


def _box(box: Box) -> list[str]:
    return [
        f'<rect x="{box.x}" y="{box.y}" width="{BOX_WIDTH}" height="{box.height}" rx="6" fill="{box.fill}" stroke="{box.edge}" stroke-width="1.5"/>',
        _text(box.x + 14, box.y + 28, box.word, INK, 17, "700"),
        _text(box.x + 14, box.y + 51, box.truth, INK, 12.5),
        _text(box.x + 14, box.y + 74, f"next: {box.mover}", box.edge, 12.5, "600"),
    ]


def _arrows() -> list[str]:
    top, bottom = TOP + 40, BOTTOM + 48
    wide = LEFT + BOX_WIDTH, MIDDLE + BOX_WIDTH
    return [
        _arrow(f"M{wide[0]} {top}H{MIDDLE - 2}"),
        _arrow(f"M{wide[1]} {top}H{RIGHT - 2}"),
        _label(wide[1] + 42, top - 8, "posted"),
        _arrow(f"M{MIDDLE} {TOP + 74}H{wide[0] + 2}", dashed=True),
        _label(wide[0] + 42, TOP + 90, "refused"),
        _arrow(f"M{RIGHT + 170} {TOP + BOX_HEIGHT}V{BOTTOM - 2}"),
        _label(RIGHT + 212, TOP + BOX_HEIGHT + 48, "payment"),
        _arrow(f"M{RIGHT} {bottom}H{wide[1] + 2}"),
        _arrow(f"M{MIDDLE} {bottom}H{wide[0] + 2}"),
        _arrow(f"M{RIGHT + 170} {BOTTOM + BOX_HEIGHT}V{LAST - 2}"),
        _label(RIGHT + 216, BOTTOM + BOX_HEIGHT + 22, "too much"),
        _arrow(f"M{LEFT + 125} {BOTTOM}V222H{RIGHT + 60}V{TOP + BOX_HEIGHT + 2}", dashed=True),
        _label(MIDDLE + 125, 214, "payment reversed, check returned: open again"),
    ]


def _arrow(path: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.8"{dash} marker-end="url(#tip)"/>'


def _label(x: int, y: int, words: str) -> str:
    return _text(x, y, words, SOFT, 12.5, "400", "middle")


def _text(x: int, y: int, words: str, fill: str, size: float, weight: str = "400", anchor: str = "start") -> str:
    where = f'x="{x}" y="{y}" text-anchor="{anchor}"'
    return f'<text {where} fill="{fill}" font-size="{size}" font-weight="{weight}" {FONT}>{escape(words)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
    print(PICTURE.name)
