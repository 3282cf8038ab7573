"""The late report of the demo clinic's Dr. Eskild referral, as view data."""

from datetime import datetime

from tests.pages.people_shown import BOISE, NOW, ago, boise
from web.fields import Choice, FieldGroup, FieldKind, FieldView, FormView
from web.present import Act, Owner, Tag, Tone, clock_words, due_words, status_tag
from web.referrals.new_present import FoundPatient, NewReferralPage
from web.referrals.present import (
    CasePage,
    DocumentLine,
    Fact,
    Mark,
    NextAction,
    PatientBanner,
    Proof,
    RawDetail,
    StepMark,
    TimelineDay,
    TimelineEntry,
    TimelineFilter,
    allergy_tag,
    no_known_allergies,
)

WILHELM = PatientBanner(
    name="Straatmann, Wilhelm, Jr",
    birth_date="07/21/1979",
    age="47 years",
    age_sex="47 M",
    sex="Male",
    mrn="LM-000103",
    allergies=(
        allergy_tag("Penicillin", "anaphylaxis", severe=True),
        allergy_tag("Sulfa antibiotics", "rash", severe=False),
    ),
    alerts=(
        Tag("Father has the same name", Tone.WARN, "users"),
        Tag("Landline only", Tone.OUTLINE, "phone"),
    ),
    coverage="Coppergate PPO",
    coverage_tag=Tag("Active Nov 2", Tone.OK, "circle-check"),
    chart_url="/patients/1",
)
HANNAH = PatientBanner(
    "Kowalbrandt, Hannah", "04/12/1962", "64 years", "64 F", "Female", "LM-000107", (no_known_allergies("Mar 2"),)
)
STEPS = (
    StepMark("Ready", "Oct 26, 9:12 AM", Mark.DONE),
    StepMark("Coverage", "No auth needed", Mark.DONE),
    StepMark("Sent", "Received Oct 26", Mark.DONE),
    StepMark("Triage", "Accepted Oct 27", Mark.DONE),
    StepMark("Scheduled", "Oct 27, for Nov 4", Mark.DONE),
    StepMark("Seen", "Nov 4, 1:34 PM", Mark.DONE),
    StepMark("Report", "12 days late", Mark.LATE),
    StepMark("Review", "by Dr. Oyelaran", Mark.TO_COME),
    StepMark("Patient told", "not yet", Mark.TO_COME),
    StepMark("Closed", "5 proofs missing", Mark.TO_COME),
)
ACTION = NextAction(
    words="Call Dr. Eskild’s office for the consult note",
    why="Fax chase failed at 9:14 AM (line busy 3 times), so a person has to call.",
    due=due_words(boise(23, 12), NOW, BOISE),
    owner=Owner("Nadia Ferro-Lund", "NF", mine=True),
    if_missed="Goes to Dr. Lindqvar, medical director",
    acts=(
        Act("Log the call", "/referrals/R-20418/call", "phone-call", "E", filled=True, opens_here=True),
        Act("Attach received report", "/referrals/R-20418/report", "paperclip", opens_here=True),
        Act("Record that none will come…", "/referrals/R-20418/no-report", "file-off", opens_here=True),
        Act("Hand over", "/tasks/assign", "user-plus", "A", quiet=True),
        Act("Snooze", "/tasks/snooze", "bell-z", "H", quiet=True, posts=True, sends=(("task", "0199:3"),)),
    ),
    phone="(208) 555-0191",
    phone_words="Medical records desk, 8 AM to 4 PM:",
)


def entry(
    at: datetime,
    icon: str,
    words: str,
    lead: str = "",
    note: str = "",
    tone: Tone = Tone.NEUTRAL,
    detail: RawDetail | None = None,
) -> TimelineEntry:
    return TimelineEntry(at, clock_words(at, BOISE), icon, words, lead, note, tone, detail)


ARRIVED = (
    "MSH|^~\\&|ESKILD|ORTHO|CARELOOP|LARKMOOR|20261104134102-0700||SIU^S14|EO88213|P|2.5.1\n"
    "SCH|R-20418^LARKMOOR|AP-55102^EO"
)
TIMELINE = (
    TimelineDay(
        "Today, Mon, Nov 23",
        (
            entry(ago(minutes=4), "eye", "opened this case", "Tobias Wrenfield", "from Reports late"),
            entry(
                boise(23, 9, 14),
                "printer-off",
                "line busy after 3 tries. Call task made for Nadia Ferro-Lund, due 12:00 PM",
                "Fax chase 2 failed:",
                "by Careloop",
                Tone.DANGER,
                RawDetail("Fax log", "3 tries, busy"),
            ),
            entry(
                boise(23, 9),
                "clock-play",
                "Report still missing 7 days after it was due; chase 2 started",
                note="moved from Sun, Nov 22, clinic closed",
                tone=Tone.ACCENT,
            ),
        ),
    ),
    TimelineDay(
        "Wed, Nov 18",
        (
            entry(
                boise(18, 9, 2),
                "send",
                "Chase 1 faxed to Dr. Eskild’s office; delivered 9:03 AM",
                note="no reply",
                detail=RawDetail("Fax, 1 receipt", "delivered 9:03 AM"),
            ),
        ),
    ),
    TimelineDay(
        "Wed, Nov 4",
        (
            entry(
                boise(4, 13, 41),
                "login-2",
                "reported the patient arrived at 1:34 PM. Report due Wed, Nov 11",
                "Dr. Eskild’s office",
                "matched by referral id",
                Tone.OK,
                RawDetail("HL7 SIU^S14", ARRIVED, opened=True),
            ),
            entry(boise(4, 8, 5), "message-2", "Voice reminder answered on the line ending 0113"),
        ),
    ),
    TimelineDay(
        "Tue, Oct 27",
        (
            entry(
                boise(27, 16, 20, 10),
                "pencil",
                "changed preferred contact to voice only",
                "Nadia Ferro-Lund",
                "patient asked",
            ),
            entry(
                boise(27, 8, 52, 10),
                "circle-check",
                "by Dr. Eskild, visit Wed, Nov 4, 1:30 PM",
                "Accepted",
                tone=Tone.OK,
                detail=RawDetail("HL7 OSU^O51", "MSH|…"),
            ),
        ),
    ),
)
PROOFS = (
    Proof("Report received, or why none will come", met=False, late=True),
    Proof("Matched to this referral", met=False),
    Proof("Reviewed with a plan by Dr. Oyelaran", met=False),
    Proof("Patient told", met=False),
    Proof("Follow-ups ordered or declined", met=False),
)
DOCUMENTS = (
    DocumentLine("Referral letter", "Sent Oct 26 · signed by Dr. Oyelaran · 2 pages", "/documents/1"),
    DocumentLine("X-ray, right knee", "Oct 21 · sent with referral", "/documents/2", "folder-open"),
    DocumentLine("Consult note", "Not received, was due Nov 11", icon="file-alert", missing=True),
)
FILTERS = tuple(
    TimelineFilter(label, f"/referrals/R-20418?show={label.split()[0].lower()}", label == "All")
    for label in ("All", "Steps", "Messages", "Record changes", "Who looked")
)


def call_form() -> FormView:
    """A decision's form, sent once with one answer missing."""
    reached = FieldView(
        "outcome",
        "What did they say?",
        FieldKind.CHOICE,
        ("promised",),
        (
            Choice("promised", "They promise a date"),
            Choice("not-reached", "Nobody reached"),
            Choice("none", "None will come"),
        ),
    )
    return FormView(
        title="Log the call",
        url="/referrals/R-20418/call",
        submit="Log the call",
        icon="phone-call",
        groups=(
            FieldGroup(
                (
                    FieldView("caller", "Who answered", error="Enter the name of the person who answered."),
                    reached,
                    FieldView(
                        "by",
                        "When will the report come?",
                        FieldKind.DATE_TIME,
                        ("2026-11-24T12:00",),
                        hint="Boise time",
                    ),
                    FieldView("note", "Note", FieldKind.LONG_TEXT, ("Transcription is behind.",), required=False),
                    FieldView("again", "Send the fax again?", FieldKind.YES_NO, ("no",)),
                )
            ),
        ),
        told="Nobody outside the clinic is told.",
        cancel_url="/referrals/R-20418",
    )


def case(*, form: FormView | None = None) -> CasePage:
    """The case, with a form open or not."""
    return CasePage(
        number="R-20418",
        title="Orthopedics referral",
        tags=(status_tag("Urgent"), status_tag("Report late")),
        subline="from Dr. Ifeoma Oyelaran to Dr. Bertrand Eskild",
        patient=WILHELM,
        steps=STEPS,
        next_action=ACTION,
        timeline=TIMELINE,
        entries=38,
        question="Knee pain for eight weeks, locking twice. Is arthroscopy worth it, or physiotherapy first?",
        asked=(Fact("Diagnoses", ("M25.561 Pain in right knee",)), Fact("Service", ("Consult and treat, 1 visit",))),
        proofs=PROOFS,
        documents=DOCUMENTS,
        filters=FILTERS,
        form=form,
        back_url="/tasks",
        previous_url="/referrals/R-20795",
        next_url="/referrals/R-20902",
        place="5 of 46 in this view",
        request_url="/referrals/R-20418/request",
        attach_url="/referrals/R-20418/documents",
        as_of_url="/referrals/R-20418/as-of",
        now_url="/referrals/R-20418",
    )


def new_form() -> FormView:
    """A new referral's questions."""
    specialists = tuple(
        Choice(f"s{n}", name, field)
        for n, (name, field) in enumerate(
            (
                ("Heronfield Specialty Associates", "cardiology"),
                ("Heronfield Specialty Associates", "nephrology"),
                ("Heronfield Specialty Associates", "dermatology"),
                ("Quillon Digestive Health", "gastroenterology"),
                ("Dr. Bertrand Eskild", "orthopedics, fax only"),
                ("Quarrylight Eye Clinic", "ophthalmology"),
            )
        )
    )
    urgency = (
        Choice("stat", "STAT", "answer in 1 hour"),
        Choice("urgent", "Urgent", "answer in 1 business day"),
        Choice("routine", "Routine", "answer in 5 business days"),
    )
    return FormView(
        title="What is asked",
        url="/referrals",
        submit="Send the referral",
        icon="send",
        groups=(
            FieldGroup(
                (
                    FieldView("performer", "To", FieldKind.CHOICE, (), specialists),
                    FieldView("priority", "How soon", FieldKind.CHOICE, ("routine",), urgency),
                )
            ),
            FieldGroup(
                (
                    FieldView(
                        "question",
                        "The question to answer",
                        FieldKind.LONG_TEXT,
                        hint="One or two sentences the specialist can answer",
                    ),
                    FieldView(
                        "diagnosis",
                        "Diagnosis (ICD-10-CM)",
                        values=("reflux",),
                        error="Enter a code from the list, such as K21.9.",
                    ),
                ),
                "Why",
            ),
        ),
        told="Sent to the specialist at once. The patient is told when a visit is booked.",
        cancel_url="/tasks",
        cancel="Discard",
    )


def new_referral() -> NewReferralPage:
    """A patient chosen, the form open."""
    after = (
        "Coverage is checked; where the plan wants an approval, it is asked first.",
        "The specialist answers within 5 business days, or you get a task to call.",
        "The loop closes when the report is reviewed and the patient is told.",
    )
    return NewReferralPage(HANNAH, new_form(), "/referrals/new/patients", "/tasks", after=after)


def new_referral_search() -> NewReferralPage:
    """No patient chosen yet, two found."""
    found = (
        FoundPatient("Straatmann, Wilhelm, Jr", "07/21/1979 · 47 M · LM-000103", "/referrals/new?patient=1"),
        FoundPatient("Straatmann, Wilhelm, Sr", "07/12/1949 · 77 M · LM-000113", "/referrals/new?patient=2"),
    )
    return NewReferralPage(None, None, "/referrals/new/patients", "/tasks", "straatm", found)
