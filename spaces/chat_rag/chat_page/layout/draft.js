// What is typed and not sent yet, by conversation: a reload, the way back, and another conversation keep it.
const MAX_DRAFT = 20000; // characters; a longer text is only in the box
const draftBox = () => document.querySelector("#question textarea");
const draftName = (conversation) => `spaceport-draft-${conversation}`;
// The conversation on the page, what is kept of its question, and the one that the page is leaving.
let draftOf = null, keptDraft = "", leftBy = null, leftTimer = 0;
const storeDraft = (conversation, text) => {
  if (text && text.length <= MAX_DRAFT) sessionStorage.setItem(draftName(conversation), text);
  else sessionStorage.removeItem(draftName(conversation));
};
const writeDraft = (text) => {
  keptDraft = text;
  draftBox().value = text;
  draftBox().dispatchEvent(new Event("input", {bubbles: true})); // for Gradio
};
const keepDraft = () => {
  const conversation = document.querySelector("#chats nav")?.dataset.current;
  if (!draftBox() || !conversation || conversation === leftBy) return;
  if (conversation !== draftOf) {
    if (draftOf && !leftBy) storeDraft(draftOf, ""); // what is in the box goes along
    [draftOf, leftBy, keptDraft] = [conversation, null, ""];
    const draft = sessionStorage.getItem(draftName(conversation));
    if (draft && !draftBox().value) writeDraft(draft);
  }
  if (draftBox().value === keptDraft) return;
  keptDraft = draftBox().value;
  storeDraft(conversation, keptDraft);
};
document.addEventListener("input", (event) => event.target === draftBox() && keepDraft());
const dropDrafts = () => Object.keys(sessionStorage).filter((name) => name.startsWith(draftName("")))
  .forEach((name) => sessionStorage.removeItem(name));
// Another conversation is on its way: what is typed from now on belongs to it. A conversation that isn't in the list
// can't be opened again, so its text goes along.
document.addEventListener("click", (event) => {
  const chat = event.target.closest("#new-chat, #chats [data-chat]");
  const isListed = document.querySelector("#chats .sp-current") !== null;
  if (!chat || !isListed || chat.dataset.chat === draftOf || !draftBox()?.value) return;
  if (draftBox().value.length > MAX_DRAFT) return; // it isn't kept, so it goes along
  leftBy = draftOf;
  writeDraft("");
  clearTimeout(leftTimer);
  leftTimer = setTimeout(() => { // it didn't come
    if (!leftBy) return;
    draftOf = leftBy = null;
    keepDraft();
  }, 10000);
}, true);
