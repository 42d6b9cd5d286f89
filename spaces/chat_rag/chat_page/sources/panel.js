// The source panel's HTML component. Its `select` event has `source` ("TURN-NUMBER") and `claim` (from 0).
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const slotOf = (button) => element.querySelector("#" + button.getAttribute("aria-controls"));
const setOpen = (button, open) => {
  button.setAttribute("aria-expanded", open);
  button.closest(".sp-card").classList.toggle("sp-open", open);
  slotOf(button).hidden = !open;
};
const request = (button) => trigger("select", {source: button.dataset.open, claim: Number(button.dataset.requested)});
const fill = () => {
  const view = document.querySelector("#preview [data-preview]");
  const button = view && element.querySelector(`[data-open="${view.dataset.preview}"]`);
  const slot = button && slotOf(button);
  if (!slot?.hasAttribute("aria-busy") || button.dataset.requested !== view.dataset.claim) return;
  slot.innerHTML = view.innerHTML;
  slot.removeAttribute("aria-busy");
  slot.dataset.claim = view.dataset.claim;
  const box = slot.querySelector(".sp-text, .sp-page, .sp-rows");
  const spot = slot.querySelector(".sp-spot, mark");
  if (box && spot) {
    const from = box.getBoundingClientRect(), to = spot.getBoundingClientRect();
    box.scrollTop += to.top - from.top - box.clientHeight / 4;
    box.scrollLeft += to.left - from.left - box.clientWidth / 8;
  }
  slot.firstElementChild?.focus({preventScroll: true});
  slot.closest(".sp-card").scrollIntoView({block: "nearest", behavior: reducedMotion.matches ? "auto" : "smooth"});
  // If two previews arrive at the same moment, the page keeps only the second: request the first again.
  const busy = element.querySelector(".sp-slot[aria-busy]");
  if (busy) request(element.querySelector(`[aria-controls="${busy.id}"]`));
};
document.addEventListener("sp-preview", fill);
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open]");
  if (!button) return;
  const claim = button.dataset.claim || "0";
  delete button.dataset.claim;
  const open = button.getAttribute("aria-expanded") === "true";
  const slot = slotOf(button);
  // A click on the button closes the card; a citation of another sentence moves the highlight.
  if (open && event.isTrusted) return setOpen(button, false);
  setOpen(button, true);
  if (slot.dataset.claim === claim) return;
  button.dataset.requested = claim;
  slot.setAttribute("aria-busy", "true");
  if (document.querySelector(`#preview [data-preview="${button.dataset.open}"][data-claim="${claim}"]`)) return fill();
  if (!slot.firstChild) slot.textContent = slot.dataset.opening;
  request(button);
});
element.addEventListener("keydown", (event) => {
  const card = event.key === "Escape" && event.target.closest(".sp-card.sp-open");
  if (!card) return;
  const button = card.querySelector("[data-open]");
  setOpen(button, false);
  button.focus();
});
