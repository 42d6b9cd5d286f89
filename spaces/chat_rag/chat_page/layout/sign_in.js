(text) => {
  const route = SIGN_IN.includes(text) ? "/login/huggingface" : "/logout";
  window.parent?.postMessage({type: "SET_SCROLLING", enabled: true}, "*"); // the Hub's page around a Space
  setTimeout(() => location.assign(`${route}?_target_url=/${location.search}`), 500);
}
