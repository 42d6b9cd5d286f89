"""Every English word that the chat page shows, in one place: another language is another `Words`.

`gr.I18n` is not used: it translates the labels of components in the browser, but not HTML and Markdown that are made
here, where `str()` of its keys would stand. So the language is chosen by the server, once for all visitors.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Plain strings are shown as they are, those with {names} through `str.format`; `*_one` is for the number 1.

    What is put in is escaped by whoever makes HTML or Markdown of it.
    """

    # The head of the page and its parts
    title: str = "Chat with documents"
    motto: str = "Answers that show where they stand"
    model: str = "Model"
    documents: str = "Documents"
    sources: str = "Sources"
    settings: str = "Settings"

    # The conversation
    invitation: str = "### Ask about your documents\nor try one of these on the sample documents"
    examples: tuple[str, ...] = (
        "How many visitors does the viewing deck hold?",
        "What is the exclusion zone?",
        "How did the number of Arctic terns change?",
    )
    question: str = "Question"
    question_hint: str = "Ask a question"
    question_too_long: str = "A question has {most:,} characters at most."
    question_too_long_remedy: str = "Put long texts into a file and upload it."
    searching: str = "Searching the documents"
    reading_one: str = "Reading {passages} passage"
    reading: str = "Reading {passages} passages"
    reading_nothing: str = "Thinking of an answer"
    thinking: str = "Thinking"
    thoughts: str = "Thoughts"
    no_answer: str = "No answer came."
    refusal: str = "The documents do not answer this question."
    answer_without: str = "The documents do not answer this question. What follows is not taken from them."
    how_to_allow: str = (
        "The nearest passages are under Sources. Settings can let the model answer without the documents."
    )

    # The line under an answer
    first_text: str = "first token {seconds:.2f} s"
    speed: str = "{rate:.0f} tokens/s"
    tokens_out: str = "{output:,} tokens out"
    left_out: str = "{passages} passages did not fit"
    cut_at_length: str = "cut at the longest answer that Settings allow"
    cut_at_repetition: str = "stopped, it repeated itself"
    not_asked: str = "the model was not asked; Settings can allow it to answer without the documents"

    # The visitor's documents
    samples: str = "Search the sample documents (Tern Island)"
    remove: str = "Remove"
    remove_named: str = "Remove {name}"
    stop: str = "Stop"
    stop_named: str = "Stop reading {name}"
    file_waits: str = "Waiting"
    file_reads: str = "Reading"
    file_embeds: str = "Embedding"
    file_saves: str = "Saving"
    file_stops: str = "Stopping"
    page_count_one: str = "{pages:,} page"
    page_count: str = "{pages:,} pages"
    thousand_characters: str = "{thousands:,} k characters"

    # The source panel
    no_sources: str = "The passages that an answer rests on appear here."
    open_source: str = "Show it in the document"
    retrieved: str = "Retrieved ({passages})"
    also_retrieved: str = "Also retrieved ({passages})"
    page_number: str = "page {page}"
    by_model: str = "cited by the model"
    by_us: str = "matched by us"
    scores: str = "score {score:.2f} (meaning {meaning}, words {words})"
    removed_one: str = "{count} citation of the model named no passage and was removed."
    removed: str = "{count} citations of the model named no passage and were removed."

    # A source that is opened
    opening: str = "Opening"
    opened_name: str = "{name}. Cited: {text}"
    opened_place: str = "{name}, {place}. Cited: {text}"
    page_of: str = "page {page} of {pages}"
    row: str = "row {first}"
    rows: str = "rows {first} to {last}"
    gone: str = "The document was removed; this is the passage that was sent."
    not_kept: str = "The file itself is not kept, so this is its text."
    another_kept: str = "The kept file is not the one that was read, so this is the text."
    its_text: str = "{reason} This is its text."
    picture: str = "Page {page} of {name}. Marked on it: {text}"
    not_marked: str = "The place cannot be marked on this page; the text below marks it."
    passage_text: str = "Text of the passage"
    text_part: str = "Text"
    page_part: str = "Page"
    rows_part: str = "Rows"
    row_head: str = "Row"

    # The settings
    without: str = "Let the model answer where the documents do not"
    passages: str = "Passages sent to the model"
    temperature: str = "Temperature"
    longest: str = "Longest answer, in tokens"
    system: str = "System prompt"
    system_hint: str = "Leave empty for the default"
    delete: str = "Delete my data"
    delete_sure: str = "Delete your documents and the conversation?"

    # Sharing
    download_markdown: str = "Download Markdown"
    download_json: str = "Download JSON"
    share: str = "Share by link"
    link: str = "Link to this conversation (copied): it holds the conversation, not the documents"
    shared: str = "A shared conversation, opened from its link. The documents that it cites are not here."
    nothing_to_share: str = "There is nothing to share yet."
    nothing_to_share_remedy: str = "Ask a question first."
    link_too_long: str = "The link would be {characters:,} characters long; {most:,} is what most programs take."
    link_too_long_remedy: str = "Download the conversation instead, or share a shorter one."
    not_shareable: str = "This conversation does not fit into a link."
    not_shareable_remedy: str = "Download it instead."
    no_conversation: str = "This link holds no conversation that can be opened."
    no_conversation_remedy: str = "Ask for the link again; it may have been cut."


ENGLISH = Words()


def counted(one: str, more: str, **numbers: int) -> str:
    """The string for a number: `counted(words.page_count_one, words.page_count, pages=3)`; the first one decides."""
    return (one if next(iter(numbers.values())) == 1 else more).format(**numbers)
