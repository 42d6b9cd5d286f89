// The document list's HTML component: each button removes a document or stops a file, each box asks a document or not.
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove], [data-cancel]");
  if (button?.dataset.remove) trigger("delete", {document: button.dataset.remove});
  if (button?.dataset.cancel) trigger("stop", {number: Number(button.dataset.cancel)});
});
element.addEventListener("change", (event) => {
  const box = event.target.closest("[data-ask]");
  if (box) trigger("select", {document: box.dataset.ask, asked: box.checked});
});
