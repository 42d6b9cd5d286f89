// The inputs of an event. While the page has no key, it sends a ticket: random text that only this page knows.
(...values) => {
  const hex = (byte) => byte.toString(16).padStart(2, "0");
  const ticket = () => `page-${Array.from(crypto.getRandomValues(new Uint8Array(32)), hex).join("")}`;
  if (!values[INDEX]) values[INDEX] = window.spTicket ??= ticket();
  return values;
}
