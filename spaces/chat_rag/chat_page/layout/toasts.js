// The word above a message in the corner, which Gradio has in English only.
const toastWord = (kind) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--sp-${kind}`).trim().replace(/^"|"$/g, "");
const translateToasts = () => {
  for (const title of document.querySelectorAll(".toast-title")) {
    const kind = ["warning", "info", "error"].find((each) => title.classList.contains(each));
    const words = title.firstChild;
    if (kind && words?.nodeType === Node.TEXT_NODE && words.data.trim() !== toastWord(kind)) words.data = `${toastWord(kind)} `;
  }
};
