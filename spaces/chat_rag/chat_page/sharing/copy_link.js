// The address has no query: on a Space it may contain the visitor's own key to the page.
async (fragment) => {
  if (!fragment) return "";
  const link = location.origin + location.pathname + "#c=" + fragment;
  try { await navigator.clipboard.writeText(link); } catch (refused) { /* the visitor can copy it from the box */ }
  return link;
}
