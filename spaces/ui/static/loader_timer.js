// Gradio's page loader counts its seconds at each frame, also after it's gone: a page that nobody touches then takes
// a tenth of a processor (Gradio 6.31, 2026-11-29). It shows tenths of a second, so ten times a second is enough.
(() => {
  const atNextFrame = window.requestAnimationFrame.bind(window);
  const isTimer = (source) => source.length < 100 && /performance\.now\(\)-.+\/1e3/.test(source);
  window.requestAnimationFrame = (callback) =>
    // The number of a timeout could be that of somebody else's frame, which would then be cancelled.
    isTimer(String(callback)) ? -setTimeout(() => atNextFrame(callback), 100) : atNextFrame(callback);
})();
