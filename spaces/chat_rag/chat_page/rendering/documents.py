"""HTML of the document list and of notes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

from backends import Target
from chat_page.conversations.feedback import SharedFeedback
from chat_page.strings import Strings
from chat_page.translations.errors import error_text
from chat_page.translations.languages import strings
from chat_page.visitors.visitor import Visitor
from rag.documents import Document, Note, NoteKind
from rag.errors import RagError
from rag.library.progress import FileProgress, FileSummary, Snapshot, Step

BILLING = "https://huggingface.co/settings/billing"


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
    """Return whether a model can be asked now; the reason why not is in the settings.

    On a phone, the words are only spoken, and a dot stands for them.
    """
    words = strings()
    ready = target is not None and not target.unavailable
    state = words.model_ready if ready else words.model_unavailable
    reason = escape(target.reason) if target and not ready else ""
    return f'<span class="sp-state{"" if ready else " sp-failed"}" title="{reason}"><span>{state}</span></span>'


def feedback_note(shared: SharedFeedback | None, words: Strings) -> str:
    """Return what the page says about thumbs if the operator gets them."""
    return note_html(words.fill(words.feedback_note, dataset=shared.dataset)) if shared else ""


def note_html(text: str) -> str:
    """Return a note."""
    return f'<p class="sp-note">{escape(text)}</p>'


def account_html(*, browser_has_data: bool) -> str:
    """Return what signing in means for the visitor's data."""
    words = strings()
    link = f'<a href="{BILLING}" target="_blank" rel="noopener">{words.billing_page}</a>'
    quota = words.fill(words.remaining_quota, page=link)  # the Hub has no way to ask it for what is left
    kept = words.kept_in_browser if browser_has_data else ""
    return f'{note_html(f"{words.signed_in} {kept}".rstrip())}<p class="sp-note">{quota}</p>'


def waiting_text(ahead: int) -> str:
    """Return what the page shows while a place isn't free yet."""
    words = strings()
    return words.fill(words.waiting, ahead=ahead) if ahead else words.waiting_next


def file_summary(file: FileSummary) -> str:
    """Return a line about a file that was added."""
    words = strings()
    facts = [
        words.pluralize(words.page_count_one, words.page_count, pages=file.pages) if file.pages else "",
        words.fill(words.character_count, characters=file.characters),
        words.pluralize(words.chunk_count_one, words.chunk_count, chunks=file.chunks),
    ]
    notes = "".join(f" – {note_text(note)}" for note in file.notes)
    return f"{file.name}: {', '.join(filter(None, facts))}{words.already_added if file.duplicate else ''}{notes}"


def note_text(note: Note) -> str:
    """Return what the visitor should know about how a document was read."""
    words = strings()
    first, *others = note.places or ("",)
    values = {"places": ", ".join(note.places), "first": first, "others": ", ".join(others)}
    one, several = {
        NoteKind.PICTURE_PAGES: (words.picture_pages_one, words.picture_pages),
        NoteKind.UNREAD_PICTURES: (words.unread_pictures_one, words.unread_pictures),
        NoteKind.UNREAD_INNER_PICTURES: (words.unread_inner_pictures_one, words.unread_inner_pictures),
        NoteKind.UNSURE_PAGES: (words.unsure_pages_one, words.unsure_pages),
        NoteKind.ENCODING_UNSURE: (words.encoding_unsure, words.encoding_unsure),
        NoteKind.HIDDEN_SHEETS: (words.hidden_sheets_one, words.hidden_sheets),
        NoteKind.HIDDEN_SLIDES: (words.hidden_slides_one, words.hidden_slides),
        NoteKind.FORMULAS_WITHOUT_RESULT: (words.formulas_one, words.formulas),
        NoteKind.UNREAD_ATTACHMENTS: (words.unread_attachments_one, words.unread_attachments),
        NoteKind.EMPTY_FIELDS: (words.empty_fields_one, words.empty_fields),
        NoteKind.HIDDEN_TEXT: (words.hidden_text_one, words.hidden_text),
        NoteKind.DAMAGED_PARTS: (words.damaged_parts_one, words.damaged_parts),
        NoteKind.UNKNOWN_CHARACTERS: (words.unknown_characters_one, words.unknown_characters),
    }[note.kind]
    return words.fill(one if note.count == 1 else several, count=note.count, **values)


def _document_item(document: Document, chunks: int | None, is_searched: bool) -> str:
    words = strings()
    name, label = escape(document.name), escape(words.fill(words.remove_document, name=document.name))
    size = _size(document)
    if chunks:
        size += f" · {words.pluralize(words.chunk_count_one, words.chunk_count, chunks=chunks)}"
    return (
        f'<li><label><input type="checkbox" data-ask="{escape(document.id)}"{" checked" if is_searched else ""}'
        f' aria-label="{escape(words.fill(words.ask_document, name=document.name))}">'
        f'<span class="sp-name" title="{name}">{name}</span></label><span class="sp-size">{size}</span>'
        f'<button type="button" data-remove="{escape(document.id)}" title="{words.remove}"'
        f' aria-label="{label}">&times;</button>{_notes(document)}</li>'
    )


def _notes(document: Document) -> str:
    notes = "; ".join(note_text(note) for note in document.notes)
    return f'<small class="sp-note">{escape(notes)}</small>' if notes else ""


def _pending_item(file: FileProgress) -> str:
    """A file that is being read: its progress and a button that stops it."""
    words = strings()
    name, label = escape(file.name), escape(words.fill(words.stop_file, name=file.name))
    step = _step_text(file.step) + ("" if file.share is None else f" {file.share:.0%}")
    return (
        f'<li class="sp-coming"><span class="sp-name" title="{name}">{name}</span>'
        f'<span class="sp-size">{escape(step)}</span><button type="button" data-cancel="{file.number}"'
        f' aria-label="{label}" title="{words.stop}">&times;</button>'
        f'<div class="sp-bar"><i style="width:{file.share or 0:.1%}"></i></div></li>'
    )


def _step_text(step: Step) -> str:
    words = strings()
    return {
        Step.WAITING: words.file_waiting,
        Step.READING: words.file_reading,
        Step.EMBEDDING: words.file_embedding,
        Step.SAVING: words.file_saving,
        Step.STOPPING: words.file_stopping,
    }[step]


def _result_note(result: FileSummary | RagError) -> str:
    if isinstance(result, RagError):
        return f'<p class="sp-note sp-bad">{escape(error_text(result))}</p>'
    spoken = "" if result.notes or result.duplicate else " sp-spoken"  # the list shows the same
    return f'<p class="sp-note{spoken}">{escape(file_summary(result))}</p>'


def _size(document: Document) -> str:
    words = strings()
    if document.pages:
        return words.pluralize(words.page_count_one, words.page_count, pages=len(document.pages))
    return words.fill(words.character_count, characters=len(document.text))
