// The page's own behaviour: where the conversation scrolls, and the pane of sources.
const phone = matchMedia("(max-width: 768px)");
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const log = () => document.querySelector("#chat .bubble-wrap");

// What the style rules need to know of the page. With `:has()` they could see it themselves, but then the browser would
// compute the style of the whole conversation at each token: about 4 of 10 ms at 25,000 characters (November 2026).
const STATES = {
  "sp-has-sources": "#pane .sp-card", "sp-has-messages": "#chat .message", "sp-has-chats": "#chats .sp-chat",
  "sp-sidebar-open": "#sidebar.open", "sp-writing": "#question .stop-button",
};
const markStates = () => {
  for (const [name, selector] of Object.entries(STATES)) {
    document.body?.classList.toggle(name, document.querySelector(selector) !== null);
  }
};

// The conversation's size, for the same reason not as a container of queries.
const sizes = new ResizeObserver(([{target, contentRect}]) => {
  target.style.setProperty("--sp-log-height", `${contentRect.height}px`);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  target.toggleAttribute("data-wide", contentRect.width >= 50 * rem);
});
let measured = null;
const watchSize = () => {
  if (log() === measured) return;
  measured = log();
  if (measured) sizes.observe(measured);
};

// The answers to a question that is asked again, such as of another model, are side by side where there is room.
const markComparison = (conversation) => {
  conversation.toggleAttribute("data-compared", conversation.querySelector(":scope > [data-again]") !== null);
  const isAgain = (part) => part?.hasAttribute("data-again") ?? false;
  for (const part of conversation.children) {
    const next = part.nextElementSibling; // the buttons of an answer follow it
    part.toggleAttribute("data-first", isAgain(next) || part.matches(".bot-row") && isAgain(next?.nextElementSibling));
  }
};

// The way to the newest question, where it's further down than what is in view.
let newest = null, newestObserver = null;
const watchNewest = (row) => {
  if (row === newest) return;
  newest = row;
  newestObserver?.disconnect();
  document.body.classList.remove("sp-newest-below");
  newestObserver = new IntersectionObserver((entries) => {
    const {isIntersecting, boundingClientRect, rootBounds} = entries.at(-1);
    document.body.classList.toggle("sp-newest-below", !isIntersecting && boundingClientRect.top >= rootBounds.bottom);
  }, {root: log()});
  if (row) newestObserver.observe(row);
};
const scrollToNewest = (behavior) => {
  const rows = [...document.querySelectorAll("#chat .user-row")];
  const row = rows.findLast((each) => each.checkVisibility()) ?? rows.at(-1);
  log().scrollBy({top: row.getBoundingClientRect().top - log().getBoundingClientRect().top, behavior});
};
document.addEventListener("click", (event) => {
  if (!event.target.closest("#chat .scroll-down-button-container")) return;
  event.stopPropagation();
  scrollToNewest(reducedMotion.matches ? "auto" : "smooth");
}, true);

// A new question goes to the top of the conversation, and the answer grows below it.
let questions = 0;
const watchQuestions = () => {
  const rows = [...document.querySelectorAll("#chat .user-row")];
  rows.forEach((row, index) => row.toggleAttribute("data-again", row.textContent === rows[index - 1]?.textContent));
  if (rows.length) markComparison(rows[0].parentElement);
  if (rows.length > questions) scrollToNewest("instant");
  questions = rows.length;
  watchNewest(rows.at(-1));
};

// Opening the pane makes the conversation narrower: what was clicked stays where it is.
const keepInPlace = (element, change) => {
  const before = element.getBoundingClientRect().top;
  change();
  log().scrollTop += element.getBoundingClientRect().top - before;
};
// On a phone the sheet is a step of the browser's history, so that the way back closes it.
const sheet = matchMedia("(max-width: 1099px)");
addEventListener("popstate", () => document.body.classList.contains("sp-pane-open") && sheet.matches && closePane());
const showPane = (open) => {
  if (open && sheet.matches && !history.state?.sheet) history.pushState({...history.state, sheet: true}, "");
  document.body.classList.toggle("sp-pane-closed", !open);
  document.body.classList.toggle("sp-pane-open", open);
};
let citation = null; // the one that opened the pane gets the focus back
const closePane = () => {
  const link = citation?.isConnected ? citation : document.querySelector("#question textarea");
  keepInPlace(link, () => showPane(false));
  link.focus({preventScroll: true});
  if (history.state?.sheet) history.back();
};
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-pane]")) closePane();
  const button = event.target.closest("[data-open-pane]");
  if (!button) return;
  citation = button;
  showPane(true);
  document.querySelector("[data-close-pane]").focus();
});
document.addEventListener("keydown", (event) => {
  const pane = event.key === "Escape" && event.target.closest("#pane");
  if (pane) closePane();
});

// The browser must not follow a citation's link: with the page's base address it would reload the page and lose the
// conversation. A click opens the passage in the pane, and the folded lists around it, and marks it. A link in a message
// to another place of this page isn't a citation: a model wrote it, and it leads nowhere.
document.addEventListener("click", (event) => {
  const link = event.target.closest('.message a[href], a[href*="#source-"]');
  if (!link || !link.hash || link.origin !== location.origin) return;
  event.preventDefault();
  const [, key, claim] = link.getAttribute("href").match(/^#source-(\d+-\d+)(?:-(\d+))?a?$/) ?? [];
  const card = key && document.getElementById(`source-${key}`);
  if (!card) return;
  citation = link;
  keepInPlace(link, () => showPane(true));
  for (let fold = card; fold; fold = fold.parentElement) if (fold.tagName === "DETAILS") fold.open = true;
  document.querySelectorAll(".sp-card.sp-on").forEach((other) => other.classList.remove("sp-on"));
  card.classList.add("sp-on");
  card.focus({preventScroll: true});
  card.scrollIntoView({block: "nearest", behavior: reducedMotion.matches ? "auto" : "smooth"});
  const button = card.querySelector("[data-open]");
  button.dataset.claim = claim ?? "0";
  button.click();
}, true);

// A citation that is pointed at says its words, so that a look at each doesn't need a click.
document.addEventListener("pointerover", (event) => {
  const link = event.target.closest('.message a[href*="#source-"]:not([title])');
  const key = link?.getAttribute("href").match(/^#source-(\d+-\d+)/)?.[1];
  const card = key && document.getElementById(`source-${key}`);
  if (!card) return;
  const [name, place, words] = [".sp-name", ".sp-place", "blockquote"].map((part) =>
    card.querySelector(part).textContent.trim().replace(/\s+/g, " "));
  link.title = `${[name, place].filter(Boolean).join(", ")}\n${words.length > 400 ? `${words.slice(0, 399)}…` : words}`;
});

// A new chat by the keys of other chat pages. None without a modifier: those who dictate would press it by speaking.
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || !event.shiftKey || event.code !== "KeyO") return;
  event.preventDefault();
  document.querySelector("#new-chat").click();
  document.querySelector("#question textarea").focus();
});

// On a phone an open sidebar covers the page, so it starts closed. Gradio opens it more than once while the page loads:
// close it until the visitor does something.
let untouched = phone.matches;
for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { untouched = false; }, {capture: true});
const closeSidebar = () => untouched && document.querySelector("#sidebar.open .toggle-button")?.click();

// While the sidebar is closed, as on a phone, the composer says which files are read, and which couldn't be.
const showFilesState = () => {
  const state = document.querySelector("#files-state p");
  if (!state) return;
  const problems = [...document.querySelectorAll("#documents .sp-note.sp-bad")].map((note) => note.textContent);
  const coming = [...document.querySelectorAll("#documents .sp-coming")].map((file) =>
    `${file.querySelector(".sp-name").textContent}: ${file.querySelector(".sp-size").textContent}`);
  const text = [...problems, ...coming].join(" · ");
  state.classList.toggle("sp-bad", problems.length > 0);
  if (state.textContent !== text) state.textContent = text;
};

// The title of the tab names the chat. Gradio translates the words of the page, but not this one.
const nameTab = () => {
  const parts = ["#chats .sp-current .sp-chat", "#head h1"].map((part) => document.querySelector(part)?.textContent);
  const title = parts.filter(Boolean).join(" · ");
  if (title && document.title !== title) document.title = title;
};

new MutationObserver(() => {
  for (const update of [markStates, watchSize, watchQuestions, closeSidebar,
    nameTab, showFilesState, keepDraft, translateToasts]) {
    update();
  }
}).observe(document, {childList: true, subtree: true, attributeFilter: ["class"]});

// A copied message has the text of its quotes, not their HTML, and markers instead of links to this page's sources.
const quoteText = (html) => [...new DOMParser().parseFromString(html, "text/html").querySelectorAll(".sp-quote")]
  .map((quote) => `“${quote.querySelector("blockquote").textContent}” (${quote.querySelector("figcaption").textContent})`)
  .join("\n");
copyCleaners.push((text) => text
  .replace(/<div class="sp-quotes".*?<\/div>/gs, quoteText)
  .replace(/<(?:div|details) class="sp-line".*?<\/(?:div|details)>/gs, "")
  .replace(/<span class="sp-unsupported"[^>]*>(.*?)<\/span>/gs, "$1")
  .replace(/(\[\d+\+?\])\(#source-[\da-z-]+\)/g, "$1")
  .trim());

// Which shared documents are asked stays in this tab when the page opens again: whether it's the samples, or the titles.
const sharedBoxes = () => [...document.querySelectorAll("#samples input")];
document.addEventListener("change", (event) => {
  const box = event.target.closest("#samples input");
  if (!box) return;
  const titles = sharedBoxes().filter((each) => each.checked).map((each) => each.title);
  sessionStorage.setItem("spaceport-shared", JSON.stringify(box.title ? titles : box.checked));
});
// The value is in a list: Gradio takes a list of titles for the values of several components.
window.sharedChoice = (choice) => {
  const stored = JSON.parse(sessionStorage.getItem("spaceport-shared"));
  if (Array.isArray(stored) !== Array.isArray(choice) || stored === null) return [choice];
  return [Array.isArray(stored) ? sharedBoxes().map((each) => each.title).filter((each) => stored.includes(each)) : stored];
};

// While an answer is on its way, its waiting line has the seconds so far.
let asked = 0;
setInterval(() => {
  const waiting = document.querySelector("#question .stop-button");
  asked = waiting ? asked || Date.now() : 0;
  const seconds = asked && Math.round((Date.now() - asked) / 1000);
  for (const title of document.querySelectorAll("#chat .title")) {
    if (seconds && title.querySelector(".loading-spinner")) title.dataset.elapsed = `${seconds} s`;
    else delete title.dataset.elapsed;
  }
}, 1000);

// Files can be dropped anywhere. The drop zone in the sidebar reads its own.
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") && !event.target.closest?.("#drop");
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  document.body.classList.add("sp-dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("sp-dropping");
});
document.addEventListener("drop", (event) => {
  document.body.classList.remove("sp-dropping");
  const input = document.querySelector("#composer-tools > input[type=file]");
  if (!carriesFiles(event) || !input) return;
  event.preventDefault();
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", {bubbles: true}));
});
