"""Every string of the chat page, in English. `chat_page.translations` has the other languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chat_page.translations.number_format import NumberFormat
from rag.errors import FileProblem
from ui.admission import strings as admission
from ui.admission.strings import MESSAGES, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Strings:
    """The strings of one language: `fill` sets the values of their {names}, and `*_one` is the singular.

    The code that builds HTML or Markdown escapes the values.
    """

    # How numbers are written
    thousands: str = ","
    decimal: str = "."

    # The head of the page and its parts
    title: str = "Chat with documents"
    tagline: str = "Answers with sources you can check"
    model: str = "Model"
    documents: str = "Documents"
    sources: str = "Sources"
    settings: str = "Settings"

    # Notices
    warning: str = "Warning"
    info: str = "Note"
    error: str = "Error"

    # The account
    sign_in: str = "Sign in with Hugging Face"
    sign_out: str = "Sign out ({name})"
    signed_in: str = "Your documents and conversations follow your account."
    kept_in_browser: str = "What you did here before you signed in is back when you sign out."
    remaining_quota: str = "{page} shows how much of your quota for models and ZeroGPU is left."
    billing_page: str = "Your billing page at Hugging Face"

    # The list of conversations
    new_chat: str = "New chat"
    chats: str = "Chats"
    search_chats: str = "Search chats"
    no_chats: str = "Your chats appear here."
    no_chats_match: str = "No chat has this text."
    more_chats: str = "{count:,} older chats aren't shown. Search finds them."
    download_all: str = "Download all chats"
    too_large_to_export: str = "All chats together are larger than {limit} MB. Download them one by one."
    rename_chat: str = "Rename “{title}”"
    delete_chat: str = "Delete “{title}”"
    chat_name: str = "Name of the chat"
    confirm_delete_chat: str = "Delete this chat? You can't undo this."
    name_too_long: str = "A name can have up to {limit} characters. It was shortened."
    unreadable_title: str = "A chat that can't be opened"
    changed_elsewhere: str = "This chat was changed in another tab. You now see the latest version. Try again."
    not_saved: str = "This answer is on the page but not stored: {reason}"
    no_room: str = "There is no room for more chats."
    no_room_remedy: str = "Delete chats or documents that you no longer need."

    attach: str = "Attach files"
    model_ready: str = "Ready"
    model_unavailable: str = "Not available"
    close_sources: str = "Close the sources"
    unavailable_models: str = "Models that are not set up:"

    # Thumbs
    reason_wrong: str = "It's wrong"
    reason_incomplete: str = "Something is missing"
    reason_source: str = "The source doesn't say that"
    reason_other: str = "Another reason"
    feedback_kept: str = "Thank you. Your rating is stored with your data."
    feedback_shared: str = "Thank you. Your rating is sent to {dataset} with the question and the answer."
    feedback_note: str = (
        "A thumb sends the question, the answer and its quotes to the operator's dataset {dataset}. "
        "What was sent stays there when you delete your data."
    )

    # The conversation
    first_invitation: str = (
        "## Ask your documents\n"
        "Drop PDF, Office or text files anywhere on this page, or attach them below. "
        "Each answer shows the exact words it comes from.\n\n"
        "To look around first, ask the sample documents:"
    )
    invitation: str = "## Ask your documents\nEach answer shows the exact words it comes from. For a start:"
    plain_chat: str = (
        "## Ask the model\nNo document is selected. For answers with sources, add one, or select one under Documents."
    )
    summary_question: str = "What is {name} about?"
    heading_question: str = "What does {name} say about {heading}?"
    cell_question: str = "{row}, {column}?"
    row_question: str = "{row}?"
    what_next: str = "What next?"
    drop_here: str = "Drop files to add them to your documents"
    examples: tuple[str, ...] = (
        "How many visitors does the viewing deck hold?",
        "What is the exclusion zone?",
        "How did the number of Arctic terns change?",
    )
    question: str = "Question"
    question_hint: str = "Ask a question"
    answer: str = "Answer"
    conversation_too_long: str = "This conversation is too long to go on."
    conversation_too_long_remedy: str = "Start a new chat."
    unknown_target: str = "There is no such target."
    unknown_target_remedy: str = "Choose one from the menu."
    waiting_next: str = "Waiting for a free place: you're next"
    waiting: str = "Waiting for a free place ({ahead:,} before you)"
    searching: str = "Searching the documents"
    loading_search: str = "Loading the search model"
    reading_one: str = "Reading {passages} passage"
    reading: str = "Reading {passages} passages"
    writing: str = "Writing an answer"
    thinking: str = "Thinking"
    thoughts: str = "Thoughts"
    rest_of_answer: str = "Show the rest ({characters:,} characters)"
    no_answer: str = "The model returned no answer."
    unsupported: str = "not found in the documents"
    unsupported_answer: str = "The model wrote an answer, but none of it was found in the documents"
    unsupported_list: str = "Not found in the documents:"
    no_quotes: str = "No sentence or table cell stands out as the answer. The closest passages are under Sources."
    write_answer: str = "Write an answer with {model} (a small model, it may be wrong)"
    quotes_label: str = "From the documents"
    nearest_label: str = "The closest words in the documents"
    unsure: str = "Not sure: these are the closest words in the documents. They may not answer your question."
    refusal: str = "The documents do not answer this question."
    not_mentioned: str = "No document mentions {names}."
    other_years: str = "No document is about {years}. The documents cover {covered}."
    alternatives: str = " or "
    english: str = "English"
    german: str = "German"
    spanish: str = "Spanish"
    french: str = "French"
    chinese: str = "Chinese"
    other_language: str = (
        "The documents are in {languages}. Ask in {languages}, or set SPACEPORT_EMBEDDINGS to a multilingual model."
    )
    not_from_documents: str = "The documents do not answer this question. This answer is from general knowledge."
    allow_general_knowledge: str = (
        "The closest passages are under Sources. To get an answer from general knowledge, allow it in Settings."
    )
    conversation_unreadable: str = (
        "Your last conversation was saved by another version of this page and can't be opened. "
        "Your documents are still here."
    )

    # The line under an answer
    total_time: str = "{seconds:.1f} s"
    tokens_one: str = "{tokens:,} token"
    tokens: str = "{tokens:,} tokens"
    quotes_after: str = "quotes found in {seconds:.2f} s"
    first_text: str = "first token {seconds:.2f} s"
    speed: str = "{rate:.0f} tokens/s"
    tokens_in: str = "{input:,} tokens sent"
    tokens_in_of: str = "{input:,} of {window:,} tokens sent ({share:.0%})"
    no_close_match: str = "No close match in the documents"
    passages_omitted_one: str = "{passages} passage didn't fit into the prompt"
    passages_omitted: str = "{passages} passages didn't fit into the prompt"
    stopped: str = "Stopped."
    stopped_at_length: str = "Stopped at the length limit. You can raise it in Settings."
    stopped_at_repetition: str = "Stopped because the answer repeated itself."
    cut: str = "Cut off: the server that wrote this answer stopped. Retry to ask again."

    # The visitor's documents
    web_page: str = "Add a web page by its address"
    samples: str = "Search the sample documents (Tern Island)"
    ask_document: str = "Ask {name}"
    remove: str = "Remove"
    remove_document: str = "Remove {name}"
    stop: str = "Stop"
    stop_file: str = "Stop reading {name}"
    file_waiting: str = "Waiting"
    file_reading: str = "Reading"
    file_embedding: str = "Embedding"
    file_saving: str = "Saving"
    file_stopping: str = "Stopping"
    page_count_one: str = "{pages:,} page"
    page_count: str = "{pages:,} pages"
    character_count: str = "{characters:,} characters"
    chunk_count_one: str = "{chunks:,} passage"
    chunk_count: str = "{chunks:,} passages"
    already_added: str = " (already added)"

    # What the visitor should know about how a document was read
    better_model: str = "Get a better model: {name}, {size} GB"
    use_better_model: str = "Use the better model {name}, which is on this machine"
    better_model_ready: str = "{name} is ready. It writes the answers from now on."
    cannot_store: str = "The model can't be stored ({reason})."
    picture_pages_one: str = "{count:,} page is a picture that was not read: {places}"
    picture_pages: str = "{count:,} pages are pictures that were not read: {places}"
    unread_pictures_one: str = "{count:,} picture was not read: page {places}"
    unread_pictures: str = "{count:,} pictures were not read: pages {places}"
    unread_inner_pictures_one: str = "{count:,} picture was not read"
    unread_inner_pictures: str = "{count:,} pictures were not read"
    unsure_pages_one: str = "{count:,} page is hard to read, check its text: {places}"
    unsure_pages: str = "{count:,} pages are hard to read, check their text: {places}"
    encoding_unsure: str = "its encoding is a guess: {first}, or {others}. Save it as UTF-8 if letters look wrong"
    hidden_sheets_one: str = "{count:,} hidden sheet was not read: {places}"
    hidden_sheets: str = "{count:,} hidden sheets were not read: {places}"
    hidden_slides_one: str = "{count:,} hidden slide was not read: {places}"
    hidden_slides: str = "{count:,} hidden slides were not read: {places}"
    formulas_one: str = "{count:,} cell has a formula without a stored result, on sheet {places}"
    formulas: str = "{count:,} cells have formulas without stored results, on sheet {places}"
    unread_attachments_one: str = "{count:,} attachment was not read: {places}"
    unread_attachments: str = "{count:,} attachments were not read: {places}"
    empty_fields_one: str = "{count:,} field isn’t filled in"
    empty_fields: str = "{count:,} fields aren’t filled in"
    hidden_text_one: str = "{count:,} hidden piece of text was left out"
    hidden_text: str = "{count:,} hidden pieces of text were left out"
    damaged_parts_one: str = "{count:,} part is damaged or incomplete, text may be missing: download or save it again"
    damaged_parts: str = "{count:,} parts are damaged or incomplete, text may be missing: download or save it again"
    unknown_characters_one: str = "{count:,} letter is unknown and shown as �: page {places}"
    unknown_characters: str = "{count:,} letters are unknown and shown as �: pages {places}"

    # The source panel
    no_sources: str = "Sources appear here."
    open_source: str = "Show in the document"
    retrieved: str = "Retrieved ({passages})"
    also_retrieved: str = "Also retrieved ({passages})"
    page_number: str = "page {page}"
    quoted: str = "Quoted"
    nearest: str = "Closest"
    by_model: str = "Cited by the model"
    by_spaceport: str = "Added by Spaceport"
    strong_match: str = "Strong match"
    good_match: str = "Good match"
    weak_match: str = "Weak match"
    scores: str = "score {score:.2f} (meaning {dense}, words {lexical})"
    invalid_markers_one: str = "Removed {count} citation to a source that doesn't exist."
    invalid_markers: str = "Removed {count} citations to sources that don't exist."

    # A source that is open
    cited_begins: str = " cited text begins "
    cited_ends: str = " cited text ends "
    zoom_in: str = "Zoom in"
    zoom_out: str = "Zoom out"
    previous_page: str = "Previous page"
    next_page: str = "Next page"
    cited_page: str = "Cited page"
    opening: str = "Opening …"
    source_label: str = "{name}. Cited: {text}"
    source_label_with_place: str = "{name}, {place}. Cited: {text}"
    page_of: str = "page {page} of {pages}"
    row: str = "row {first}"
    rows: str = "rows {first} to {last}"
    document_removed: str = "You removed this document. This is the passage that the model received."
    file_not_stored: str = "The file itself isn't stored. This is its text."
    file_differs: str = "The stored file is different from the one that was read. This is the text that was read."
    text_instead: str = "{reason} This is its text."
    picture: str = "Page {page} of {name}. Highlighted: {text}"
    not_highlighted: str = "This page can't show the highlight. The text below does."
    passage_text: str = "Text of the passage"
    text_part: str = "Text"
    page_part: str = "Page"
    rows_part: str = "Rows"
    column_hidden: str = "One more column isn't shown."
    columns_hidden: str = "{columns:,} more columns aren't shown."
    row_head: str = "Row"

    # Why the page doesn't answer or read something now
    too_many_questions: str = MESSAGES[Reason.TOO_MANY_QUESTIONS]
    too_many_from_address: str = MESSAGES[Reason.TOO_MANY_FROM_ADDRESS]
    visitor_busy: str = MESSAGES[Reason.VISITOR_BUSY]
    address_busy: str = MESSAGES[Reason.ADDRESS_BUSY]
    full: str = MESSAGES[Reason.FULL]
    waited: str = MESSAGES[Reason.WAITED]
    try_again_one: str = admission.TRY_AGAIN_ONE
    try_again: str = admission.TRY_AGAIN
    too_slow: str = admission.TOO_SLOW
    too_slow_remedy: str = admission.TOO_SLOW_REMEDY

    # The settings
    general_knowledge: str = "Answer from general knowledge if the documents don't"
    passages: str = "Passages sent to the model"
    temperature: str = "Temperature"
    max_tokens: str = "Maximum length (tokens)"
    system: str = "System prompt"
    system_hint: str = "Leave empty for the default"
    system_too_long: str = "A system prompt can have up to {limit:,} characters. The rest was left out."
    delete: str = "Delete my data"
    confirm_delete: str = "Delete your documents and conversations?"

    # Download and share
    download_web_page: str = "Download web page"
    download_markdown: str = "Download Markdown"
    download_json: str = "Download JSON"
    characters: str = "Characters {start:,} to {end:,}:"
    share: str = "Share by link"
    link: str = "Link to this conversation (copied). It contains the conversation, not the documents."
    shared: str = "This is a shared conversation. The documents that it cites aren't here."
    nothing_to_share: str = "There's nothing to share yet."
    nothing_to_share_remedy: str = "Ask a question first."
    link_too_long: str = "The link would have {characters:,} characters. Most programs accept up to {limit:,}."
    link_too_long_remedy: str = "Download the conversation or share a shorter one."
    not_shareable: str = "This conversation doesn't fit into a link."
    not_shareable_remedy: str = "Download it instead."
    no_conversation: str = "This link contains no conversation that can be opened."
    no_conversation_remedy: str = "Ask for the link again. It may have been cut off."
    link_too_new: str = "A later version of this page made this link."
    link_too_new_remedy: str = "Reload the page or ask for a download of the conversation."

    # Errors by the name of their `FileProblem`; in other languages, also by the name of their class
    errors: Mapping[str, Sequence[str]] = field(default_factory=lambda: {each.name: each.value for each in FileProblem})

    def fill(self, text: str, /, **values: Any) -> str:
        """Return one of these strings with its values, the numbers as this language writes them."""
        return NumberFormat(self.thousands, self.decimal).vformat(text, (), values)

    def pluralize(self, singular: str, plural: str, /, **numbers: int) -> str:
        """Return the string for a number: `words.pluralize(words.page_count_one, words.page_count, pages=3)`."""
        return self.fill(singular if next(iter(numbers.values())) == 1 else plural, **numbers)


ENGLISH = Strings()
