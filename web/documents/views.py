"""The addresses of documents: the inbox, one document, uploads, and what a referral puts on paper."""

from flask import Blueprint

from activities.records.ring import KeyRing
from web.decisions import Desk
from web.documents.document import DocumentPages
from web.documents.filing import Reports
from web.documents.inbox import InboxPages
from web.documents.paper import PaperPages
from web.documents.upload import UploadPages

POST = ["POST"]


def create_documents(desk: Desk, ring: KeyRing) -> Blueprint:
    """The pages of documents, to be registered by the application."""
    blueprint = Blueprint("documents", __name__, template_folder="templates")
    reports = Reports(desk, ring)
    _inbox(blueprint, InboxPages(reports, ring))
    _uploads(blueprint, UploadPages(reports, ring))
    _documents(blueprint, DocumentPages(ring))
    _paper(blueprint, PaperPages(ring))
    return blueprint


def _inbox(blueprint: Blueprint, pages: InboxPages) -> None:
    file = "/documents/inbox/<uuid:file_id>"
    blueprint.add_url_rule("/documents", "inbox", pages.show)
    blueprint.add_url_rule(file, "file", pages.file)
    blueprint.add_url_rule(f"{file}/pages/<int:number>.png", "inbox_picture", pages.picture)
    blueprint.add_url_rule(f"{file}/original", "original", pages.original)
    blueprint.add_url_rule(f"{file}/suggestions", "suggest", pages.suggest, methods=POST)
    blueprint.add_url_rule(f"{file}/rotation", "turn", pages.turn, methods=POST)
    blueprint.add_url_rule(f"{file}/filing", "take", pages.take, methods=POST)
    blueprint.add_url_rule(f"{file}/rejection", "reject", pages.reject, methods=POST)
    blueprint.add_url_rule(f"{file}/pages/<int:number>/return", "give_back", pages.give_back, methods=POST)
    blueprint.add_url_rule(f"{file}/seen", "see", pages.see, methods=POST)


def _uploads(blueprint: Blueprint, pages: UploadPages) -> None:
    blueprint.add_url_rule("/documents/upload", "ask_upload", pages.ask)
    blueprint.add_url_rule("/documents/upload", "upload", pages.upload, methods=POST)
    attachments = "/referrals/<uuid:case_id>/attachments"
    blueprint.add_url_rule(attachments, "ask_attachment", pages.ask_attachment)
    blueprint.add_url_rule(attachments, "attach", pages.attach, methods=POST)


def _documents(blueprint: Blueprint, pages: DocumentPages) -> None:
    document = "/documents/<uuid:document_id>"
    blueprint.add_url_rule(document, "show", pages.show)
    blueprint.add_url_rule(f"{document}/pages/<int:number>.png", "picture", pages.picture)
    blueprint.add_url_rule(f"{document}/file", "download", pages.download)
    blueprint.add_url_rule(f"{document}/withdrawal", "ask_withdrawal", pages.ask_withdrawal)
    blueprint.add_url_rule(f"{document}/withdrawal", "withdraw", pages.withdraw, methods=POST)


def _paper(blueprint: Blueprint, pages: PaperPages) -> None:
    case = "/referrals/<uuid:case_id>"
    blueprint.add_url_rule(f"{case}/packet.pdf", "packet", pages.packet)
    blueprint.add_url_rule(f"{case}/letters", "letters", pages.choose)
    blueprint.add_url_rule(f"{case}/letters/<letter>", "ask_letter", pages.ask)
    blueprint.add_url_rule(f"{case}/letters/<letter>", "make_letter", pages.make, methods=POST)
