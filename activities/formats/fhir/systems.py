"""The addresses of the code and identifier systems used on the FHIR wire."""

URI = "urn:ietf:rfc:3986"
NPI = "http://hl7.org/fhir/sid/us-npi"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UNITS = "http://unitsofmeasure.org"
LANGUAGE = "urn:ietf:bcp:47"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
CONDITION_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
SUBSCRIBER_RELATIONSHIP = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"

# HL7 Clinical Order Workflows calls its own codes examples, and BSeR lacks several steps of a referral;
# where neither has a code we send one of ours beside whatever exists.
COW = "http://hl7.org/fhir/uv/cow/CodeSystem/temp"
BSER = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
BUSINESS_STATUS = "https://careloop.example/fhir/CodeSystem/referral-business-status"
STATUS_REASON = "https://careloop.example/fhir/CodeSystem/referral-status-reason"
OUTPUT = "https://careloop.example/fhir/CodeSystem/referral-output"
