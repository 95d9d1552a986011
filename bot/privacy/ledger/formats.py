"""Consent records in the forms of others: the field structure of ISO/IEC TS 27560:2023, Kantara Consent Receipt 1.1, and DPV JSON-LD.

Pure, and without words, numbers or names of a person: who is meant is the ledger's random reference.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.domain.business import Business
from bot.privacy.ledger.canonical import json_value, moment

KANTARA_VERSION = "KI-CR-v1.1.0"

DPV_CONTEXT = {
    "dpv": "https://w3id.org/dpv#", "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#", "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#", "at": {"@id": "dct:date", "@type": "xsd:dateTime"},
}  # fmt: skip
"""Stands in every document, so that it expands without the network."""

_STATUS = {
    "requested": "dpv:ConsentRequested", "pending_confirmation": "dpv:ConsentRequested", "given": "dpv:ConsentGiven",
    "refused": "dpv:ConsentRefused", "withdrawn": "dpv:ConsentWithdrawn", "expired": "dpv:ConsentExpired",
    "invalidated": "dpv:ConsentInvalidated", "unknown": "dpv:ConsentUnknown",
}  # fmt: skip

_BASES = {
    "consent": "eu-gdpr:A6-1-a", "contract": "eu-gdpr:A6-1-b", "legal_obligation": "eu-gdpr:A6-1-c",
    "vital_interest": "eu-gdpr:A6-1-d", "public_task": "eu-gdpr:A6-1-e", "legitimate_interest": "eu-gdpr:A6-1-f",
}  # fmt: skip

Row = Mapping[str, Any]


def record_27560(rows: Sequence[Row], business: Business) -> dict[str, Any]:
    """One record: all events of one person and purpose, oldest first, in the four parts of ISO/IEC TS 27560 clause 6.

    Header, processing, parties, events. What the standard asks for and the ledger keeps elsewhere is named by its hash.
    """
    last, notice = rows[-1], business.notice
    purpose = business.purposes.get(last["purpose"])
    return {
        "schema_version": "ISO/IEC TS 27560:2023", "record_id": f"{last['subject_ref']}:{last['purpose']}",
        "pii_principal_id": last["subject_ref"],
        "pii_processing": {
            "privacy_notice": notice.link, "privacy_notice_hash": last.get("notice_hash", ""),
            "language": last.get("notice_language", ""), "jurisdiction": last["jurisdiction"],
            "purposes": [{
                "purpose": purpose.title if purpose else last["purpose"], "purpose_id": last["purpose"],
                "purpose_hash": last.get("purpose_hash", ""), "lawful_basis": last.get("basis", ""),
                "pii_information": [{"pii_type": one} for one in (purpose.data if purpose and purpose.data else notice.data)],
                "pii_controllers": ["controller"], "withdrawal_method": _latest(rows, "withdrawal_method"),
                "recipient_third_parties": [one.name for one in business.processors],
            }],
            "storage_conditions": {"storage_locations": [notice.storage], "retention_period": notice.retention},
            "collection_method": last["channel"],
        },
        "parties": _parties(business, last),
        "events": [_event_27560(row) for row in rows],
    }  # fmt: skip


def _parties(business: Business, row: Row) -> list[dict[str, str]]:
    one = business.controller
    parties = [{
        "party_id": "controller", "party_name": one.name, "party_role": "pii_controller", "party_address": one.address,
        "party_email": one.email, "party_phone": one.phone, "party_type": "organisation",
        "parties_version": str(row.get("parties_version", "")),
    }]  # fmt: skip
    parties += [
        {"party_id": f"processor-{number}", "party_name": each.name, "party_role": "pii_processor", "party_address": each.country,
         "party_type": "organisation"}
        for number, each in enumerate(business.processors, start=1)
    ]  # fmt: skip
    return parties


def _event_27560(row: Row) -> dict[str, Any]:
    event = {
        "event_id": row["_id"], "event_time": row["occurred_at"], "recorded_time": row["recorded_at"],
        "event_type": row.get("consent_type", "") or row["event_type"], "event_state": row.get("state_after", ""),
        "event_kind": row["event_type"], "validity_duration": row.get("valid_until", ""), "entity_id": row.get("actor", "subject"),
        "request_id": row.get("request", ""), "notice_hash": row.get("notice_hash", ""), "commitment": row["commit"],
    }  # fmt: skip
    shown: dict[str, Any] = json_value(event)
    return shown


def _latest(rows: Sequence[Row], name: str) -> str:
    return next((str(row[name]) for row in reversed(rows) if row.get(name)), "")


def receipt_kantara(row: Row, business: Business, key: str) -> dict[str, Any]:
    """One event of consent as a Kantara Consent Receipt 1.1; `key` is the public key of receipts in hex."""
    notice, one = business.notice, business.controller
    purpose = business.purposes.get(row["purpose"])
    until = moment(row["valid_until"]) if row.get("valid_until") else "on withdrawal"
    return {
        "version": KANTARA_VERSION, "jurisdiction": row["jurisdiction"], "consentTimestamp": _seconds(row["occurred_at"]),
        "collectionMethod": f"{row['channel']}: {row.get('answer_kind', '') or 'message'}", "consentReceiptID": row["_id"],
        "publicKey": key, "language": row.get("notice_language", "") or business.language, "piiPrincipalId": row["subject_ref"],
        "piiControllers": [{
            "piiController": one.name, "contact": business.dpo.name or one.name,
            "address": {"streetAddress": one.address, "addressCountry": one.country}, "email": business.dpo.email or one.email,
            "phone": one.phone,
        }],
        "policyUrl": notice.link,
        "services": [{
            "service": business.name,
            "purposes": [{
                "purpose": purpose.title if purpose else row["purpose"],
                "purposeCategory": ["6 - Marketing" if purpose and purpose.sends == "marketing" else "2 - Contracted Service"],
                "consentType": "EXPLICIT", "piiCategory": list(purpose.data if purpose and purpose.data else notice.data),
                "primaryPurpose": True, "termination": until, "thirdPartyDisclosure": bool(business.processors),
                **({"thirdPartyName": ", ".join(each.name for each in business.processors)} if business.processors else {}),
            }],
        }],
        "sensitive": False, "spiCat": [],
    }  # fmt: skip


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def record_dpv(rows: Sequence[Row], business: Business) -> dict[str, Any]:
    """The same record in the Data Privacy Vocabulary as JSON-LD, after the DPV guide for ISO/IEC TS 27560."""
    last = rows[-1]
    return {
        "@context": DPV_CONTEXT, "@id": f"urn:recado:{last['subject_ref']}:{last['purpose']}", "@type": "dpv:ConsentRecord",
        "dct:identifier": f"{last['subject_ref']}:{last['purpose']}",
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
        "dpv:hasDataSubject": {"@id": f"urn:recado:{last['subject_ref']}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": {"@type": "dpv:DataController", "dpv:hasName": business.controller.name},
        "dpv:hasRecipient": [{"@type": "dpv:DataProcessor", "dpv:hasName": one.name} for one in business.processors],
        "dpv:hasNotice": {"@type": "dpv:ConsentNotice", "@id": business.notice.link, "dct:identifier": last.get("notice_hash", "")},
        "dpv:hasLegalBasis": {"@id": _BASES.get(str(last.get("basis", "")), "dpv:Consent")},
        "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:title": _title(last, business), "dct:identifier": last["purpose"]},
        "dpv:hasConsentStatus": [
            {"@type": _STATUS.get(str(row.get("state_after", "")), "dpv:ConsentUnknown"), "dct:identifier": row["_id"],
             "at": moment(row["occurred_at"]), "dpv:isIndicatedBy": row.get("actor", "subject")}
            for row in rows
        ],
    }  # fmt: skip


def _title(row: Row, business: Business) -> str:
    purpose = business.purposes.get(row["purpose"])
    return purpose.title if purpose else str(row["purpose"])
