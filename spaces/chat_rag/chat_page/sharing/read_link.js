// A link that the visitor follows on the open page only changes the hash, so the page reloads.
() => {
  const hasConversation = () => location.hash.startsWith("#c=");
  addEventListener("hashchange", () => { if (hasConversation()) location.reload(); });
  return hasConversation() ? location.hash.slice(3, 30004) : "";
}
