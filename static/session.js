/*
 * Warns before a session ends, so that nobody is signed out with half a sentence typed. The times come with the page;
 * every page and every request of any tab moves the end, which the tabs tell each other through the browser's storage.
 */
(() => {
  "use strict";

  const part = document.getElementById("session-end");
  if (!part) return;

  const WARN_MS = 3 * 60 * 1000;
  const LOOK_MS = 5 * 1000;
  const NOTE = "fairway-session-idle-until";
  const form = part.querySelector("form");
  const idleMs = part.dataset.idle * 1000;
  const wholeUntil = Date.now() + part.dataset.whole * 1000;
  let idleUntil = 0;

  function goesOn() {
    idleUntil = Date.now() + idleMs;
    try {
      window.localStorage.setItem(NOTE, String(idleUntil));
    } catch {
      // A browser that keeps nothing warns each tab for itself.
    }
    look();
  }

  function heard() {
    try {
      return Number(window.localStorage.getItem(NOTE)) || 0;
    } catch {
      return 0;
    }
  }

  function show(kind, end) {
    for (const words of part.querySelectorAll("[data-session]")) {
      words.hidden = words.dataset.session !== kind;
      const when = words.querySelector("[data-when]");
      if (when) when.textContent = new Date(end).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    }
    form.hidden = kind !== "idle";
    // Only a change is spoken, so the part is not touched while it says the same.
    part.hidden = kind === null;
  }

  let shown;
  function look() {
    const end = Math.min(heard() || idleUntil, wholeUntil);
    const left = end - Date.now();
    let kind = null;
    if (left <= 0) kind = "over";
    else if (left <= WARN_MS) kind = end === wholeUntil ? "whole" : "idle";
    if (kind !== shown) show(kind, end);
    shown = kind;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        credentials: "same-origin",
        redirect: "error",
      });
      if (answer.ok) goesOn();
    } catch {
      // Fairway could not be reached: the warning stays, and so does the button.
    }
  });

  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response?.status < 400) goesOn();
  });

  // A laptop that slept wakes with its timers late, so the clock is asked, not counted.
  window.setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look);
  goesOn();
})();
