// The document list's HTML component: each button removes a document or stops a file.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove], [data-cancel]");
  if (button?.dataset.remove) trigger("delete", {document: button.dataset.remove});
  if (button?.dataset.cancel) trigger("stop", {number: Number(button.dataset.cancel)});
});
