"""HTML of the document list and of notes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

from backends import Target
from chat_page.conversations.feedback import SharedFeedback
from chat_page.strings import ENGLISH, pluralize
from chat_page.visitors.visitor import Visitor
from rag.documents import Document, Note, NoteKind
from rag.errors import RagError
from rag.library.progress import FileProgress, FileSummary, Snapshot, Step

STEPS = {
    Step.WAITING: ENGLISH.file_waiting,
    Step.READING: ENGLISH.file_reading,
    Step.EMBEDDING: ENGLISH.file_embedding,
    Step.SAVING: ENGLISH.file_saving,
    Step.STOPPING: ENGLISH.file_stopping,
}
NOTES = {  # for one and for several
    NoteKind.PICTURE_PAGES: (ENGLISH.picture_pages_one, ENGLISH.picture_pages),
    NoteKind.UNREAD_PICTURES: (ENGLISH.unread_pictures_one, ENGLISH.unread_pictures),
    NoteKind.UNREAD_INNER_PICTURES: (ENGLISH.unread_inner_pictures_one, ENGLISH.unread_inner_pictures),
    NoteKind.UNSURE_PAGES: (ENGLISH.unsure_pages_one, ENGLISH.unsure_pages),
    NoteKind.ENCODING_UNSURE: (ENGLISH.encoding_unsure, ENGLISH.encoding_unsure),
    NoteKind.HIDDEN_SHEETS: (ENGLISH.hidden_sheets_one, ENGLISH.hidden_sheets),
    NoteKind.HIDDEN_SLIDES: (ENGLISH.hidden_slides_one, ENGLISH.hidden_slides),
    NoteKind.FORMULAS_WITHOUT_RESULT: (ENGLISH.formulas_one, ENGLISH.formulas),
    NoteKind.UNREAD_ATTACHMENTS: (ENGLISH.unread_attachments_one, ENGLISH.unread_attachments),
    NoteKind.HIDDEN_TEXT: (ENGLISH.hidden_text_one, ENGLISH.hidden_text),
}


def visitor_documents(visitor: Visitor, files: Snapshot | None = None, *, waiting: int | None = None) -> str:
    """Return the list of a visitor's documents; `documents_html` says what is in it."""
    documents = visitor.library.documents
    chunks = {document.id: visitor.library.chunk_count(document.id) for document in documents}
    return documents_html(documents, files, waiting=waiting, chunks=chunks, left_out=visitor.left_out)


def documents_html(
    documents: Sequence[Document],
    files: Snapshot | None = None,
    *,
    waiting: int | None = None,
    chunks: Mapping[str, int] | None = None,
    left_out: Collection[str] = (),
) -> str:
    """Return documents with a box to ask each and a button to remove it, the progress of new files, and their results.

    `waiting` is how many visitors' files are read before these, or None. `chunks` has the number of pieces of each
    document, by id; questions leave out those in `left_out`.
    """
    items = "".join(
        _document_item(document, (chunks or {}).get(document.id), document.id not in left_out) for document in documents
    )
    pending = "".join(_pending_item(file) for file in files.pending) if files else ""
    results = "".join(_result_note(result) for result in files.results) if files else ""
    if waiting is not None:
        results += note_html(waiting_text(waiting))
    document_list = f"<ul>{items}{pending}</ul>" if items or pending else ""
    return f'<div class="sp-documents">{document_list}<div role="status">{results}</div></div>'


def state_html(target: Target | None) -> str:
    """Return whether a model can be asked now; the reason why not is in the settings."""
    ready = target is not None and not target.unavailable
    words = ENGLISH.model_ready if ready else ENGLISH.model_unavailable
    reason = escape(target.reason) if target and not ready else ""
    return f'<span class="sp-state{"" if ready else " sp-failed"}" title="{reason}">{words}</span>'


def feedback_note(shared: SharedFeedback | None) -> str:
    """Return what the page says about thumbs if the operator gets them."""
    return note_html(ENGLISH.feedback_note.format(dataset=shared.dataset)) if shared else ""


def note_html(text: str) -> str:
    """Return a note."""
    return f'<p class="sp-note">{escape(text)}</p>'


def account_html(*, browser_has_data: bool) -> str:
    """Return what signing in means for the visitor's data."""
    return note_html(f"{ENGLISH.signed_in} {ENGLISH.kept_in_browser if browser_has_data else ''}".rstrip())


def waiting_text(ahead: int) -> str:
    """Return what the page shows while a place isn't free yet."""
    return ENGLISH.waiting.format(ahead=ahead) if ahead else ENGLISH.waiting_next


def file_summary(file: FileSummary) -> str:
    """Return a line about a file that was added."""
    facts = [
        pluralize(ENGLISH.page_count_one, ENGLISH.page_count, pages=file.pages) if file.pages else "",
        ENGLISH.character_count.format(characters=file.characters),
        pluralize(ENGLISH.chunk_count_one, ENGLISH.chunk_count, chunks=file.chunks),
    ]
    notes = "".join(f" – {note_text(note)}" for note in file.notes)
    return f"{file.name}: {', '.join(filter(None, facts))}{ENGLISH.already_added if file.duplicate else ''}{notes}"


def note_text(note: Note) -> str:
    """Return what the visitor should know about how a document was read."""
    first, *others = note.places or ("",)
    words = {"places": ", ".join(note.places), "first": first, "others": ", ".join(others)}
    return NOTES[note.kind][note.count != 1].format(count=note.count, **words)


def _document_item(document: Document, chunks: int | None, asked: bool) -> str:
    name, label = escape(document.name), escape(ENGLISH.remove_document.format(name=document.name))
    size = _size(document)
    if chunks:
        size += f" · {pluralize(ENGLISH.chunk_count_one, ENGLISH.chunk_count, chunks=chunks)}"
    return (
        f'<li><label><input type="checkbox" data-ask="{escape(document.id)}"{" checked" if asked else ""}'
        f' aria-label="{escape(ENGLISH.ask_document.format(name=document.name))}">'
        f'<span class="sp-name" title="{name}">{name}</span></label><span class="sp-size">{size}</span>'
        f'<button type="button" data-remove="{escape(document.id)}" title="{ENGLISH.remove}"'
        f' aria-label="{label}">&times;</button>{_notes(document)}</li>'
    )


def _notes(document: Document) -> str:
    notes = "; ".join(note_text(note) for note in document.notes)
    return f'<small class="sp-note">{escape(notes)}</small>' if notes else ""


def _pending_item(file: FileProgress) -> str:
    """A file that is being read: its progress and a button that stops it."""
    name, label = escape(file.name), escape(ENGLISH.stop_file.format(name=file.name))
    step = STEPS[file.step] if file.share is None else f"{STEPS[file.step]} {file.share:.0%}"
    return (
        f'<li class="sp-coming"><span class="sp-name" title="{name}">{name}</span>'
        f'<span class="sp-size">{escape(step)}</span><button type="button" data-cancel="{file.number}"'
        f' aria-label="{label}" title="{ENGLISH.stop}">&times;</button>'
        f'<div class="sp-bar"><i style="width:{file.share or 0:.1%}"></i></div></li>'
    )


def _result_note(result: FileSummary | RagError) -> str:
    if isinstance(result, RagError):
        return f'<p class="sp-note sp-bad">{escape(str(result))}</p>'
    spoken = "" if result.notes or result.duplicate else " sp-spoken"  # the list shows the same
    return f'<p class="sp-note{spoken}">{escape(file_summary(result))}</p>'


def _size(document: Document) -> str:
    if document.pages:
        return pluralize(ENGLISH.page_count_one, ENGLISH.page_count, pages=len(document.pages))
    return ENGLISH.character_count.format(characters=len(document.text))
