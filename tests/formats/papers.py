"""One piece of paper of each kind, with people of the cast."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from activities.formats.pdf.content import (
    Cover,
    Enclosure,
    Language,
    Paper,
    PartnerLetter,
    PartnerLetterKind,
    Party,
    PatientLetter,
    PatientLetterKind,
    ReferralPacket,
    Report,
    Subject,
)

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
VISIT = datetime(2026, 12, 1, 10, 20, tzinfo=ZoneInfo("America/Boise"))
LARKMOOR = Party("Larkmoor Family Medicine", ("410 Larkmoor Lane, Boise ID 83705-0101",), "(208) 555-0101", "")
ESKILD = Party("Dr Bertrand Eskild, orthopaedics", (), "(208) 555-0191", "(208) 555-0190")
HERONFIELD = Party(
    "Heronfield Specialty Associates", ("9 Heron Mews", "Spokane WA 99201-0101"), "(509) 555-0101", "(509) 555-0109"
)
MARISELA = Party("Marisela Ibarra-Quintanilla", ("17 Alder Court", "Boise ID 83705-0101"))
WILHELM = Subject("Straatmann, Wilhelm, Jr", date(1979, 7, 21), "male", "LM-000103", "(208) 555-0113")
QUESTION = "Knee pain since the spring, worse on stairs.\nNo trauma. *Is surgery* #needed?"


def cover(**changes: object) -> Cover:
    said: dict[str, object] = {
        "sender": LARKMOOR,
        "recipient": ESKILD,
        "number": "R-20418",
        "pages": 7,
        "sent_on": TODAY,
    }
    return Cover(**(said | changes))  # type: ignore[arg-type]


def packet(**changes: object) -> ReferralPacket:
    said: dict[str, object] = {
        "sender": LARKMOOR,
        "recipient": ESKILD,
        "number": "R-20418",
        "priority": "Urgent",
        "service": "Orthopaedics",
        "question": QUESTION,
        "requester": Party("Oyelaran, Ifeoma, MD", npi="2000001034"),
        "requested_on": TODAY,
        "patient": WILHELM,
    }
    return ReferralPacket(**(said | changes))  # type: ignore[arg-type]


def patient_letter(kind: PatientLetterKind, language: Language, **changes: object) -> PatientLetter:
    said: dict[str, object] = {
        "sender": LARKMOOR,
        "recipient": MARISELA,
        "number": "R-20419",
        "written_on": TODAY,
        "signed_by": "Nadia Ferro-Lund",
        "signed_title": "Referral coordinator",
        "specialist": HERONFIELD,
        "visit_at": VISIT,
        "plan": "Take one tablet each morning.\nBlood test in two weeks.",
        "interpreter": True,
    }
    return PatientLetter(kind=kind, language=language, **(said | changes))  # type: ignore[arg-type]


def partner_letter(kind: PartnerLetterKind, **changes: object) -> PartnerLetter:
    said: dict[str, object] = {
        "sender": LARKMOOR,
        "recipient": ESKILD,
        "number": "R-20418",
        "service": "Orthopaedics",
        "written_on": TODAY,
        "signed_by": "Nadia Ferro-Lund",
        "patient": WILHELM,
        "sent_on": date(2026, 10, 26),
        "seen_on": date(2026, 11, 4),
        "records": ("Operative note", "MRI report"),
        "reason": "the patient was treated elsewhere",
    }
    return PartnerLetter(kind=kind, **(said | changes))  # type: ignore[arg-type]


FULL = packet(
    patient=Subject(
        WILHELM.name,
        WILHELM.birth_date,
        WILHELM.sex,
        WILHELM.mrn,
        WILHELM.phone,
        "Spanish",
        interpreter=True,
        contact="Phone after 3 PM",
        address=("410 Elm Street", "Boise ID 83705"),
    ),
    diagnoses=("M25.561",),
    problems=(),
    medications=("naproxen 500 mg twice a day",),
    allergies=("Penicillin: anaphylaxis",),
    insurance=("Coppergate Health Plan PPO",),
    enclosures=(Enclosure("X-ray report", 2, date(2026, 10, 2)), Enclosure("Progress note", 3)),
)
PAPERS: dict[str, Paper] = {
    "report": Report(
        "Consultation report",
        HERONFIELD,
        "R-20418",
        "Cardiology",
        TODAY,
        "Echo normal.\nNo treatment needed.",
        "Dr Aurelio Stenmark",
        WILHELM,
    ),
    "cover": cover(urgency="Urgent", attention="Records desk", message="Please call when it is there."),
    "packet": FULL,
    **{
        f"patient-{kind}-{language}": patient_letter(kind, language)
        for kind in PatientLetterKind
        for language in Language
    },
    **{f"partner-{kind}": partner_letter(kind) for kind in PartnerLetterKind},
}
