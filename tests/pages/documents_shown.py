"""Faxes of the demo clinic that wait to be filed, and one that was, as view data."""

from functools import cache

from activities.formats.pdf.render import render
from activities.formats.scan import page_picture
from tests.formats.papers import AT, FULL, PAPERS
from tests.pages.case_shown import WILHELM
from tests.pages.people_shown import BOISE, NOW, ago
from web.documents.file_page import FILED, REJECTED
from web.documents.present import (
    CaseChoice,
    DocumentView,
    FileView,
    InboxLine,
    InboxView,
    LetterChoice,
    LetterView,
    Notice,
    PageView,
    UploadView,
)
from web.documents.words import REJECTIONS, TYPES
from web.fields import FieldGroup, FieldKind, FieldView, FormView
from web.present import Act, EmptyState, Tag, Tone, moment_words, status_tag
from web.referrals.present import Fact

FILE = "/documents/inbox/1"


@cache
def paper(name: str, width: int) -> bytes:
    """A page of paper as a picture."""
    content = FULL if name == "packet" else PAPERS[name]
    return page_picture(render(content, AT), 1, width)


def line(sender: str, second: str, hours: int, pages: str, likely: str, problem: str = "") -> InboxLine:
    at = ago(hours=hours)
    age = f"{hours} h ago" if hours < 24 else f"{hours // 24} day{'s' if hours > 47 else ''} ago"
    acts = (
        Act("Download", f"{FILE}/original", "download"),
        Act("I have seen to it", f"{FILE}/seen", "check", posts=True),
    )
    old = hours > 24
    return InboxLine(FILE, sender, second, at, moment_words(at, NOW, BOISE), age, old, pages, likely, problem, acts)


LINES = (
    line("Quarrylight Eye Clinic", "Fax · (208) 555-0170", 51, "2 of 5 pages", "1 report is due, 3 open referrals"),
    line("(208) 555-0164", "Fax", 26, "1 page", "No partner in the directory has this number"),
    line(
        "Dr Bertrand Eskild, orthopaedics", "Fax · (208) 555-0190", 3, "3 pages", "4 reports are due, 6 open referrals"
    ),
    line(
        "Sender not known",
        "Uploaded · letter from mother.docx",
        2,
        "",
        "",
        "This is a Word, Excel or zip file. Save it as PDF and send that.",
    ),
    line("Fernhallow Recovery Center", "Fax · (208) 555-0150", 1, "12 pages", "Nothing is open with this sender"),
)
EMPTY = EmptyState("Every page is filed", "Faxes, scans and uploads wait here until somebody says whose they are.")


def inbox(lines: tuple[InboxLine, ...] = LINES) -> InboxView:
    waiting = 18 if lines else 0
    return InboxView(
        lines=lines,
        ledger=f"{231 + waiting} pages received = 218 filed + {waiting} waiting + 13 rejected",
        balances=True,
        upload=Act("Upload…", "/documents/upload", "upload", key="U", filled=True),
        empty=EMPTY,
        notice=Notice(
            "Filed to R-20418. The report is recorded: the referring clinician reviews it next.",
            "/referrals/1",
            "Open the case",
        ),
    )


def sheet(number: int, name: str, **fields: object) -> PageView:
    values: dict[str, object] = {
        "picture_url": f"/sheets/{name}/900.png",
        "small_url": f"/sheets/{name}/200.png",
        "waiting": True,
        "chosen": True,
        "left": f"{number}:270",
        "right": f"{number}:90",
    }
    return PageView(number=number, count=4, **(values | fields))  # type: ignore[arg-type]


SETTLED = {"waiting": False, "chosen": False, "left": "", "right": ""}
PAGES = (
    sheet(1, "cover", **SETTLED, tag=REJECTED, words="Blank page or cover sheet", back=f"{FILE}/pages/1/return"),
    sheet(2, "partner-report-missing"),
    sheet(3, "packet", chosen=False),
    sheet(4, "partner-records-request", **SETTLED, tag=FILED, words="Operative note", link="/documents/1"),
)
CASES = (
    CaseChoice(
        "case:1",
        "Straatmann, Wilhelm, Jr",
        "Orthopaedics · R-20418 · seen Wed, Nov 4, 1:34 PM",
        "07/21/1979 · 47 M · LM-000103",
        Tag("Report late", Tone.DANGER, "report-off"),
    ),
    CaseChoice(
        "case:2",
        "Vailgood, Terrence",
        "Orthopaedics · R-20455 · seen Mon, Nov 16, 9:00 AM",
        "09/30/1964 · 62 M · LM-000105",
        status_tag("Report due"),
        chosen=True,
    ),
    CaseChoice(
        "case:3",
        "Farnhamme, Odette",
        "Orthopaedics · R-20467",
        "02/08/1947 · 79 F · LM-000109",
        status_tag("Scheduled"),
    ),
)


def received_file(refused: bool = False) -> FileView:
    """A fax of four pages, two of which wait; `refused`: sent without saying what it is."""
    return FileView(
        title="Fax from Dr Bertrand Eskild, orthopaedics",
        subline="Today 7:42 AM · 3 h ago · 4 pages",
        url=FILE,
        pages=PAGES,
        fields=(
            FieldView(
                "type", "What is it?", FieldKind.CHOICE, options=TYPES, error="Say what it is." if refused else ""
            ),
            FieldView("title", "Title", hint="For example Knee MRI, right", required=False, longest=120),
        ),
        words="",
        cases=() if refused else CASES,
        patients=(),
        nobody="The sender is not in the directory. Search for the patient named on the pages." if refused else "",
        reasons=REJECTIONS,
        token="0199",
        download=Act("Download", f"{FILE}/original", "download", quiet=True),
        cases_error="Choose whose it is. Search by name or birth date if it is not listed." if refused else "",
    )


def document() -> DocumentView:
    words = "Filed to R-20418, but the report was not recorded: the referral has ended. Look at the note on the case."
    return DocumentView(
        title="Knee consultation, right",
        tags=(Tag("Consult note", Tone.NEUTRAL, "file-text"),),
        subline="Today 7:42 AM · 2 pages · Fax from (208) 555-0190",
        patient=WILHELM,
        facts=(
            Fact("Kind", ("Consult note",)),
            Fact("Case", ("R-20418 · Orthopaedics",)),
            Fact("Came by", ("Fax",)),
            Fact("From", ("(208) 555-0190",)),
            Fact("Received", ("Today 7:42 AM",)),
            Fact("Filed by", ("Nadia Ferro-Lund",)),
            Fact("Size", ("2 pages, 84 KB",)),
        ),
        pages=(
            PageView(1, 2, "/sheets/partner-report-missing/900.png", "/sheets/cover/200.png", waiting=False),
            PageView(2, 2, "/sheets/packet/900.png", "/sheets/packet/200.png", waiting=False),
        ),
        acts=(
            Act("Download", "/documents/1/file", "download", filled=True),
            Act("Open the case", "/referrals/1", "arrows-exchange"),
            Act("Filed in error…", "/documents/1/withdrawal", "file-x", quiet=True, opens_here=True),
        ),
        back_url="/referrals/1",
        notice=Notice(words, "/referrals/1", "Open the case", warn=True),
    )


def attachment() -> UploadView:
    return UploadView(
        title="Add a document to R-20418",
        url="/referrals/1/attachments",
        submit="Add the document",
        words="It is filed to Orthopaedics, Dr Bertrand Eskild. A consult note is recorded as the report.",
        token="0199",
        back_url="/referrals/1",
        fields=(
            FieldView("type", "What is it?", FieldKind.CHOICE, options=TYPES),
            FieldView("title", "Title", required=False),
        ),
        patient=WILHELM,
        error="This is an iPhone photo (HEIC). Save it as JPEG and send that.",
    )


def letters(writing: bool = False) -> LetterView:
    patient = (
        LetterChoice("/l/1", "Your appointment", "When and where the visit is", "Record the appointment first."),
        LetterChoice("/l/2", "We could not reach you", "Asks the patient to call within seven days"),
    )
    partner = (LetterChoice("/l/3", "We have not received your report", "Asks for the consult note"),)
    form = FormView(
        title="What happens after your visit",
        url="/referrals/1/letters/patient-plan",
        submit="Make the letter",
        groups=(
            FieldGroup(
                (
                    FieldView("plan", "The plan", FieldKind.LONG_TEXT, ("Physical therapy twice a week.",), rows=4),
                    FieldView("remark", "Anything else", FieldKind.LONG_TEXT, required=False, rows=4),
                )
            ),
        ),
        icon="file-text",
        told="Nothing is sent. The letter is kept with the case; print it, or fax it yourself.",
        cancel_url="/referrals/1/letters",
        cancel="Choose another letter",
    )
    groups = (("To the patient", patient), ("To Dr Bertrand Eskild, orthopaedics", partner))
    return LetterView("Letter for R-20418", WILHELM, "/referrals/1", groups, form if writing else None)
