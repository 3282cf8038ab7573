"""The step table: from where a step may be taken, by whom, what it needs and where it leads."""

from dataclasses import dataclass

from rules.referral.vocabulary import ACCEPTED, ENDED, OPEN, RETURNED, WITH_PARTNER, By, Need, Stage, Step


@dataclass(frozen=True)
class Rule:
    """One line. `to` None: the stage stays. `by` may take it when we refer, `incoming` when we are referred to."""

    label: str
    past: str
    frm: frozenset[Stage]
    to: Stage | None
    by: frozenset[By]
    needs: tuple[Need, ...] = ()
    incoming: frozenset[By] = frozenset()


STAFF = frozenset({By.STAFF, By.CLINICIAN})
CLINICIAN = frozenset({By.CLINICIAN})
PARTNER = frozenset({By.PARTNER})
ENGINE = frozenset({By.ENGINE})
NOBODY: frozenset[By] = frozenset()
EITHER = STAFF | PARTNER
TALKED = frozenset({Stage.REPORT_RECEIVED, Stage.REVIEWED, Stage.PATIENT_TOLD})
BOOKABLE = frozenset({Stage.TRIAGE}) | ACCEPTED

STEPS: dict[Step, Rule] = {
    Step.OPENING: Rule("Start the referral", "started the referral", frozenset(), Stage.DRAFT, STAFF),
    Step.AMENDMENT: Rule("Change the request…", "changed the request", frozenset({Stage.DRAFT}), None, STAFF),
    Step.SENDING: Rule("Send…", "sent the referral", frozenset({Stage.DRAFT}), Stage.SENT, STAFF),
    Step.COVERAGE_CLEARANCE: Rule(
        "Coverage is cleared…",
        "cleared coverage and sent the referral",
        frozenset({Stage.COVERAGE}),
        Stage.SENT,
        STAFF,
        (Need.NOTE,),
    ),
    Step.DELIVERY: Rule("Delivered", "took delivery", frozenset({Stage.SENT}), Stage.TRIAGE, ENGINE, incoming=NOBODY),
    Step.DELIVERY_FAILURE: Rule("Not delivered", "refused delivery", OPEN, None, ENGINE, (Need.NOTE,), incoming=ENGINE),
    Step.CALL: Rule(
        "Log the urgent call…", "announced the referral by phone", WITH_PARTNER, None, STAFF, (Need.OUTCOME,)
    ),
    Step.RECEIPT: Rule(
        "It arrived", "confirmed that it arrived", frozenset({Stage.SENT, Stage.TRIAGE}), Stage.TRIAGE, EITHER
    ),
    Step.ACCEPTANCE: Rule("Accepted", "accepted the referral", WITH_PARTNER, Stage.SCHEDULING, EITHER, incoming=STAFF),
    Step.CHOICE: Rule(
        "Choose the specialist…",
        "chose the specialist",
        WITH_PARTNER | {Stage.SCHEDULING},
        Stage.SCHEDULING,
        STAFF,
        (Need.CANDIDATE,),
    ),
    Step.INFORMATION_REQUEST: Rule(
        "They ask for information…",
        "asked for more information",
        frozenset({Stage.SENT, Stage.TRIAGE, Stage.SCHEDULING}),
        Stage.AWAITING_INFO,
        EITHER,
        (Need.NOTE,),
        incoming=STAFF,
    ),
    Step.INFORMATION: Rule(
        "Send the information…",
        "sent the information asked for",
        frozenset({Stage.AWAITING_INFO}),
        Stage.TRIAGE,
        STAFF,
        (Need.NOTE,),
        incoming=EITHER,
    ),
    Step.DECLINE: Rule(
        "Declined…",
        "declined the referral",
        WITH_PARTNER | {Stage.SCHEDULING},
        Stage.DECLINED,
        EITHER,
        (Need.REASON,),
        incoming=STAFF,
    ),
    Step.REDIRECTION: Rule(
        "Redirected…",
        "said to send it elsewhere",
        WITH_PARTNER,
        Stage.REDIRECTED,
        EITHER,
        (Need.NOTE,),
        incoming=STAFF,
    ),
    Step.ADVICE: Rule(
        "Advice only…", "answered with advice", WITH_PARTNER, Stage.ADVICE, EITHER, (Need.NOTE,), incoming=CLINICIAN
    ),
    Step.ADVICE_ACCEPTANCE: Rule(
        "Accept the advice…",
        "accepted the advice",
        frozenset({Stage.ADVICE}),
        Stage.REVIEWED,
        CLINICIAN,
        (Need.NOTE,),
    ),
    Step.CONVERSION: Rule(
        "Ask for a visit…",
        "asked for a visit after the advice",
        frozenset({Stage.ADVICE}),
        Stage.TRIAGE,
        CLINICIAN,
        (Need.NOTE,),
    ),
    Step.NEW_RECIPIENT: Rule(
        "Choose another specialist…",
        "chose another specialist",
        RETURNED | {Stage.SENT, Stage.OUTREACH, Stage.NO_SHOW},
        Stage.SENT,
        STAFF,
        (Need.RECIPIENT,),
    ),
    Step.ANOTHER_CANDIDATE: Rule(
        "Ask a second specialist too…",
        "asked a second specialist too",
        WITH_PARTNER,
        None,
        STAFF,
        (Need.RECIPIENT,),
    ),
    Step.APPOINTMENT: Rule(
        "Appointment made…",
        "booked the appointment",
        BOOKABLE,
        Stage.SCHEDULED,
        EITHER,
        (Need.AT,),
        incoming=STAFF,
    ),
    Step.ATTEMPT: Rule(
        "Log the attempt…",
        "tried to reach the patient",
        frozenset({Stage.SCHEDULING, Stage.OUTREACH, Stage.NO_SHOW}),
        Stage.OUTREACH,
        EITHER,
        (Need.CHANNEL, Need.OUTCOME),
        incoming=STAFF,
    ),
    Step.NO_SHOW: Rule(
        "Patient did not come",
        "reported a no-show",
        frozenset({Stage.SCHEDULED}),
        Stage.NO_SHOW,
        EITHER,
        incoming=STAFF,
    ),
    Step.VISIT: Rule("Patient was seen…", "saw the patient", ACCEPTED, Stage.SEEN, EITHER, (Need.AT,), incoming=STAFF),
    Step.CHASE: Rule(
        "Log the call…",
        "chased the report",
        frozenset({Stage.SEEN}),
        None,
        STAFF,
        (Need.CHANNEL, Need.OUTCOME),
    ),
    Step.REPORT: Rule(
        "Report received…",
        "sent the report",
        ACCEPTED | TALKED | {Stage.SEEN},
        Stage.REPORT_RECEIVED,
        EITHER,
        incoming=STAFF,
    ),
    Step.NO_REPORT: Rule(
        "Record that none will come…",
        "recorded that no report will come",
        frozenset({Stage.SEEN}),
        Stage.REPORT_RECEIVED,
        STAFF,
        (Need.NOTE,),
    ),
    Step.REVIEW: Rule(
        "Review with a plan…",
        "reviewed the report",
        frozenset({Stage.REPORT_RECEIVED}),
        Stage.REVIEWED,
        CLINICIAN,
        (Need.NOTE,),
    ),
    Step.PATIENT_NOTICE: Rule(
        "Patient told…",
        "told the patient",
        frozenset({Stage.REVIEWED}),
        Stage.PATIENT_TOLD,
        STAFF,
        (Need.CHANNEL,),
    ),
    Step.FOLLOW_UP: Rule(
        "Follow-ups settled…",
        "settled the follow-ups",
        frozenset({Stage.PATIENT_TOLD}),
        Stage.CLOSED,
        STAFF,
        (Need.OUTCOME,),
    ),
    Step.CANCELLATION: Rule(
        "Cancel the referral…",
        "asked to cancel",
        OPEN - TALKED - {Stage.CANCEL_REQUESTED, Stage.SEEN},
        Stage.CANCEL_REQUESTED,
        STAFF,
        (Need.REASON,),
        incoming=PARTNER,
    ),
    Step.CANCELLATION_CONFIRMED: Rule(
        "Cancellation confirmed",
        "confirmed the cancellation",
        frozenset({Stage.CANCEL_REQUESTED}),
        Stage.CANCELLED,
        EITHER,
        incoming=STAFF,
    ),
    Step.CANCELLATION_REFUSED: Rule(
        "Too late to cancel…",
        "could not cancel",
        frozenset({Stage.CANCEL_REQUESTED}),
        None,
        EITHER,
        (Need.NOTE,),
        incoming=STAFF,
    ),
    Step.PRIORITY_CHANGE: Rule(
        "Change priority…",
        "changed the priority",
        OPEN,
        None,
        CLINICIAN | PARTNER,
        (Need.PRIORITY, Need.NOTE),
        incoming=CLINICIAN | PARTNER,
    ),
    Step.EXPIRY: Rule(
        "Let it expire…", "let the referral expire", OPEN - {Stage.DRAFT}, Stage.EXPIRED, CLINICIAN, (Need.REASON,)
    ),
    Step.CLOSURE: Rule(
        "Close with a reason…",
        "closed the referral",
        OPEN,
        Stage.CLOSED,
        STAFF,
        (Need.REASON,),
        incoming=EITHER,
    ),
    Step.LATE_NOTE: Rule("Late note", "sent a note after the loop was closed", ENDED, None, EITHER, incoming=EITHER),
    Step.UNEXPECTED: Rule(
        "Unexpected answer", "sent an answer that does not fit", OPEN | ENDED, None, ENGINE, incoming=ENGINE
    ),
    Step.OVERDUE: Rule("Overdue", "is overdue", OPEN, None, ENGINE, incoming=ENGINE),
}
