// Makes the page nicer where it runs; everything works without it.
(() => {
  "use strict";

  const search = document.getElementById("q");
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  const order = document.getElementById("sort");
  if (order) order.addEventListener("change", () => order.form.requestSubmit());

  // Counts new articles that the search would find. They are shown when the reader asks for them: nothing moves by itself.
  const live = document.getElementById("live");
  const results = document.getElementById("main");
  if (!live || !("query" in results.dataset) || document.querySelector(".wrong") || !window.EventSource) return;
  const query = results.dataset.query;
  const known = new Set();
  const show = (text) => {
    const here = new URL(location.href);
    here.searchParams.delete("page");
    here.searchParams.set("sort", "newest");
    live.href = here.pathname + here.search;
    live.textContent = text;
    live.hidden = false;
  };
  const stream = new EventSource("/v1/stream?query=" + encodeURIComponent(query || "*"));
  stream.addEventListener("article", (event) => {
    known.add(JSON.parse(event.data).id);
    show(known.size === 1 ? "1 new article" : known.size + " new articles");
  });
  stream.addEventListener("gap", () => show("New articles"));
  addEventListener("pagehide", () => stream.close());
  // A page that comes back from the cache is old news.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
