"""The CSS of the vision page, in addition to that of all Spaces."""

CSS = """
#picture { min-height: 16rem; }
#results { min-height: 12rem; }
#empty ~ #results, #empty-drawing ~ #pictures { min-height: 0; }
.html-container:has(> .prose > .sp-head), #empty .html-container, #empty-drawing .html-container { padding: 0; }
#no-generators .html-container { padding: 0; }
#size .wrap-inner { min-height: 40px; }
#empty .sp-empty, #empty-drawing .sp-empty { display: grid; place-items: center; min-height: 20rem; margin: 0;
  padding: 1rem; text-align: center; border: 1px dashed var(--border-color-primary); border-radius: 8px; }
.sp-find header { display: flex; justify-content: space-between; gap: .5rem; align-items: baseline; }
.sp-find h2 { font-size: var(--sp-text-lg); margin: 0; overflow-wrap: anywhere; }
.sp-find .sp-time { color: var(--body-text-color-subdued); font-size: var(--sp-text-md); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.sp-find ol { list-style: none; margin: .75rem 0; padding: 0; }
.sp-find li { margin: 0 0 .6rem; }
.sp-find li > div { display: flex; justify-content: space-between; gap: .75rem; font-size: var(--sp-text-md); }
.sp-find li span:first-child { overflow-wrap: anywhere; }
.sp-find li span:last-child { font-variant-numeric: tabular-nums; white-space: nowrap; }
.sp-find li:first-child > div { font-weight: 600; }
.sp-find .sp-bar { height: 8px; border-radius: 4px; margin-top: .2rem; }
.sp-find li:not(:first-child) .sp-bar > i { background: var(--body-text-color-subdued); }
.sp-find figure { margin: .75rem 0 0; }
.sp-find img { width: 100%; max-height: 26rem; object-fit: contain; border-radius: 8px; display: block;
  background: var(--background-fill-secondary); }
.sp-find figcaption { font-size: var(--sp-text-sm); color: var(--body-text-color-subdued); margin-top: .35rem; }
button[role="tab"][aria-selected="true"] { color: var(--sp-accent); }
#pictures { min-height: 12rem; }
.sp-canvas .sp-preview { filter: blur(2px); }
.sp-switch-on { max-width: 46rem; margin: .75rem 0; }
.sp-switch-on ul { list-style: none; margin: .75rem 0; padding: 0; }
.sp-switch-on pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .6rem .75rem; margin: .35rem 0 1rem;
  border-radius: 8px; font-size: var(--sp-text-sm); background: var(--background-fill-secondary);
  border: 1px solid var(--border-color-primary); }
@media (max-width: 640px) {
  #empty .sp-empty { min-height: 6rem; }
  #empty-drawing .sp-empty { min-height: 6rem; }
}
"""
