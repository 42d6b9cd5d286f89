// The source panel's HTML component. Its `select` event has `source` ("TURN-NUMBER"), `claim` (from 0) and `page` (0 for
// that of the citation). A view is "CLAIM-PAGE".
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const slotOf = (button) => element.querySelector("#" + button.getAttribute("aria-controls"));
const setOpen = (button, open) => {
  button.setAttribute("aria-expanded", open);
  button.closest(".sp-card").classList.toggle("sp-open", open);
  slotOf(button).hidden = !open;
};
// In a narrow pane, a page at its width is too small to read: it opens larger, at its mark.
const NARROW = 448, OPENING_ZOOM = 1.5, LARGE = 2;
const zoomOf = (sheet) => Number(sheet.style.getPropertyValue("--zoom") || 1);
const setZoom = (sheet, zoom) => {
  sheet.style.setProperty("--zoom", zoom);
  sheet.toggleAttribute("data-large", zoom >= LARGE);
};
const request = (button) => {
  const [claim, page] = button.dataset.requested.split("-").map(Number);
  trigger("select", {source: button.dataset.open, claim, page});
};
const fill = () => {
  const view = document.querySelector("#preview [data-preview]");
  const button = view && element.querySelector(`[data-open="${view.dataset.preview}"]`);
  const slot = button && slotOf(button);
  if (!slot?.hasAttribute("aria-busy") || button.dataset.requested !== view.dataset.view) return;
  slot.innerHTML = view.innerHTML;
  slot.removeAttribute("aria-busy");
  slot.dataset.view = view.dataset.view;
  const box = slot.querySelector(".sp-text, .sp-page, .sp-rows");
  const spot = slot.querySelector(".sp-spot, mark");
  if (box?.matches(".sp-page") && spot && box.clientWidth < NARROW) setZoom(box.firstElementChild, OPENING_ZOOM);
  if (box && spot) {
    const from = box.getBoundingClientRect(), to = spot.getBoundingClientRect();
    box.scrollTop += to.top - from.top - box.clientHeight / 4;
    box.scrollLeft += to.left - from.left - box.clientWidth * .85; // what is before a number says what it is
  }
  slot.firstElementChild?.focus({preventScroll: true});
  slot.closest(".sp-card").scrollIntoView({block: "nearest", behavior: reducedMotion.matches ? "auto" : "smooth"});
  // If two previews arrive at the same moment, the page keeps only the second: request the first again.
  const busy = element.querySelector(".sp-slot[aria-busy]");
  if (busy) request(element.querySelector(`[aria-controls="${busy.id}"]`));
};
document.addEventListener("sp-preview", fill);
const show = (button, view) => {
  const slot = slotOf(button);
  setOpen(button, true);
  if (slot.dataset.view === view && !slot.hasAttribute("aria-busy")) return;
  button.dataset.requested = view;
  slot.setAttribute("aria-busy", "true");
  if (document.querySelector(`#preview [data-preview="${button.dataset.open}"][data-view="${view}"]`)) return fill();
  if (!slot.firstChild) slot.textContent = slot.dataset.opening;
  request(button);
};
// A zoom keeps a point of the window where it is: that of a click, or else the mark, or the middle of what is in view.
const zoomTo = (page, zoom, point) => {
  const sheet = page.querySelector(".sp-sheet"), from = sheet.getBoundingClientRect();
  const box = page.getBoundingClientRect(), mark = page.querySelector(".sp-spot")?.getBoundingClientRect();
  const isVisible = mark && mark.top >= box.top && mark.bottom <= box.bottom && mark.left <= box.right;
  const {x, y} = point ?? (isVisible ? mark : {x: box.x + box.width / 2, y: box.y + box.height / 2});
  setZoom(sheet, zoom);
  const grown = sheet.getBoundingClientRect().width / from.width;
  page.scrollLeft += (x - from.x) * (grown - 1);
  page.scrollTop += (y - from.y) * (grown - 1);
};
element.addEventListener("click", (event) => {
  const sheet = event.target.closest(".sp-sheet");
  if (sheet) zoomTo(sheet.parentElement, sheet.hasAttribute("data-large") ? 1 : LARGE, event);
});
// The buttons above a page: the page before or after it, and its size in steps of a half.
element.addEventListener("click", (event) => {
  const tool = event.target.closest("[data-page], [data-zoom]");
  if (!tool) return;
  const card = tool.closest(".sp-card"), sheet = card.querySelector(".sp-sheet");
  if (tool.dataset.page) {
    const opener = card.querySelector("[data-open]");
    const [claim] = opener.dataset.requested.split("-");
    return show(opener, `${claim}-${tool.dataset.page}`);
  }
  if (!sheet) return;
  const zoom = zoomOf(sheet) + Number(tool.dataset.zoom) / 2;
  zoomTo(sheet.parentElement, Math.min(3, Math.max(1, zoom)));
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-open]");
  if (!button) return;
  const claim = button.dataset.claim || "0";
  delete button.dataset.claim;
  const open = button.getAttribute("aria-expanded") === "true";
  // A click on the button closes the card; a citation of another sentence moves the highlight.
  if (open && event.isTrusted) return setOpen(button, false);
  show(button, `${claim}-0`);
});
element.addEventListener("keydown", (event) => {
  const card = event.key === "Escape" && event.target.closest(".sp-card.sp-open");
  if (!card) return;
  event.stopPropagation(); // the pane stays open
  const button = card.querySelector("[data-open]");
  setOpen(button, false);
  button.focus();
});
