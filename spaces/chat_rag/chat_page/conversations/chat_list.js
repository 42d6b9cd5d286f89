// The list of conversations. Its events have `conversation`, an id: "select", "delete", "edit" (with `name`), and "tick"
// when the page may have missed something.
const STORAGE = "spaceport-conversation"; // of the tab: a reload shows the same conversation
const list = () => element.querySelector("nav");
const idOf = (part) => part.closest("li").querySelector("[data-chat]").dataset.chat;
const resume = () => trigger("tick", {conversation: sessionStorage.getItem(STORAGE) ?? ""});
let focusOn = null; // the conversation whose line has the focus when the list is drawn again
const drawn = () => {
  if (list()?.dataset.current) sessionStorage.setItem(STORAGE, list().dataset.current);
  if (list() && "unfollowed" in list().dataset) resume();
  if (focusOn === null) return;
  const line = element.querySelector(`[data-chat="${focusOn}"]`) ?? document.querySelector("#new-chat");
  focusOn = null;
  line?.focus();
};
watch("value", drawn);
drawn();

const rename = (line) => {
  const button = line.querySelector("[data-chat]"), input = document.createElement("input");
  input.value = button.textContent;
  input.maxLength = 1000;
  input.setAttribute("aria-label", list().dataset.name);
  button.hidden = true;
  button.after(input);
  input.select();
  let done = false;
  const end = (save) => {
    if (done) return;
    done = true;
    const name = input.value.trim();
    if (save && name && name !== button.textContent) {
      focusOn = button.dataset.chat;
      button.textContent = name;
      trigger("edit", {conversation: button.dataset.chat, name});
    }
    const focused = document.activeElement === input;
    input.remove();
    button.hidden = false;
    if (focused) button.focus();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault(); // it would click the line, which then has the focus
      end(true);
    }
    if (event.key === "Escape") end(false);
  });
  input.addEventListener("blur", () => end(true));
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.chat) {
    focusOn = button.dataset.chat;
    trigger("select", {conversation: button.dataset.chat});
    // On a phone the sidebar covers the conversation.
    if (matchMedia("(max-width: 768px)").matches) document.querySelector("#sidebar.open .toggle-button")?.click();
  } else if ("rename" in button.dataset) {
    rename(button.closest("li"));
  } else if (confirm(list().dataset.confirm)) {
    const next = button.closest("li").nextElementSibling ?? button.closest("li").previousElementSibling;
    focusOn = next ? idOf(next) : "";
    trigger("delete", {conversation: idOf(button)});
  }
});

// Tab reaches one line, and the arrow keys the others.
element.addEventListener("focusin", (event) => {
  const line = event.target.closest("li");
  for (const button of line ? element.querySelectorAll("li button") : []) button.tabIndex = line.contains(button) ? 0 : -1;
});
element.addEventListener("keydown", (event) => {
  const line = event.target.matches("[data-chat]") && event.target.closest("li");
  const to = line && {ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling}[event.key];
  if (!to) return;
  event.preventDefault();
  to.querySelector("[data-chat]").focus();
});

// After a lost connection, in the foreground again, or back from the browser's history: the page asks what it missed.
window.spResume?.abort();
window.spResume = new AbortController();
const {signal} = window.spResume;
addEventListener("online", resume, {signal});
addEventListener("pageshow", (event) => event.persisted && resume(), {signal});
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && resume(), {signal});
