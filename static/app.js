/*
 * What a page can do beyond plain HTML. Every page works without this file.
 *
 * USWDS builds its widgets (combo box, date picker ...) once, when a page loads, and offers no way to build them
 * again. So whatever htmx swaps in uses the browser's own controls; USWDS behaviour that listens on the page
 * (accordion, show password) works in swapped parts too.
 */
(() => {
  "use strict";

  const live = document.getElementById("live");
  const alerts = document.getElementById("alerts");

  // A screen reader only speaks when the text changes, so the same words twice need an empty moment between.
  function say(region, words) {
    if (!region || !words) return;
    region.textContent = "";
    window.setTimeout(() => {
      region.textContent = words;
    }, 50);
  }

  /* ---- One click, one request ---- */

  // A page that never comes (a download, a dropped connection) must not leave its form dead.
  const LOCK_MS = 8000;
  const locked = new WeakMap();

  function lock(form, submitter) {
    const timer = window.setTimeout(() => unlock(form), LOCK_MS);
    locked.set(form, { submitter, timer });
    // Not "disabled": a disabled button would lose the focus, and its name and value would not be sent.
    submitter?.setAttribute("aria-disabled", "true");
  }

  function unlock(form) {
    const entry = locked.get(form);
    if (!entry) return;
    window.clearTimeout(entry.timer);
    entry.submitter?.removeAttribute("aria-disabled");
    locked.delete(form);
  }

  const usesHtmx = (form) => form.matches("[hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete], [hx-action]");

  // On the way down, before htmx hears of it.
  document.addEventListener(
    "submit",
    (event) => {
      if (locked.has(event.target)) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      lock(event.target, event.submitter);
    },
    true,
  );

  // If somebody else called the submission off, the form is free again.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    window.setTimeout(() => {
      if (event.defaultPrevented && !usesHtmx(form)) unlock(form);
    });
  });

  // A page that comes back from the browser's memory comes back with its buttons locked.
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) unlock(form);
  });

  /* ---- htmx ---- */

  // Only a wait that is long enough to be noticed is announced.
  const SLOW_MS = 1000;
  const slow = new WeakMap();

  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    ctx.target?.setAttribute?.("aria-busy", "true");
    if (alerts) alerts.textContent = "";
    slow.set(ctx, window.setTimeout(() => say(live, live?.dataset.working), SLOW_MS));
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = event.detail;
    window.clearTimeout(slow.get(ctx));
    ctx.target?.removeAttribute?.("aria-busy");
    const form = ctx.sourceElement?.closest?.("form");
    if (form) unlock(form);
  });

  // A part of a page says what is to be spoken: <p data-announce="Saved at 14:32">.
  document.addEventListener("htmx:after:swap", () => {
    const words = [];
    for (const element of document.querySelectorAll("[data-announce]")) {
      words.push(element.dataset.announce);
      element.removeAttribute("data-announce");
    }
    say(live, words.join(" "));
    showChosenFiles();
  });

  document.addEventListener("htmx:error", () => say(alerts, alerts?.dataset.unreachable));

  // A refusal carries a part of the page with its errors, or goes to the alert region by itself. A failure that does
  // neither must not replace what is on the page, typed text included.
  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status < 500 || ctx.hx?.retarget) return;
    ctx.swap = "none";
    say(alerts, alerts?.dataset.failed);
  });

  /* ---- Menus ---- */

  for (const toggle of document.querySelectorAll("[data-toggle]")) {
    const list = document.getElementById(toggle.getAttribute("aria-controls"));
    toggle.hidden = false;
    list.hidden = true;
    toggle.addEventListener("click", () => {
      list.hidden = !list.hidden;
      toggle.setAttribute("aria-expanded", String(!list.hidden));
    });
  }

  const openMenus = () => document.querySelectorAll("details[data-menu][open]");

  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  /* ---- Files ---- */

  // People take a chosen file for an uploaded one, so the page says that it is not.
  function showChosenFiles() {
    for (const control of document.querySelectorAll("input[type=file]:not([data-watched])")) {
      control.dataset.watched = "";
      const note = document.createElement("p");
      note.className = "file-chosen";
      note.setAttribute("role", "status");
      control.after(note);
      control.addEventListener("change", () => {
        note.textContent = control.files.length ? document.body.dataset.chosen : "";
      });
    }
  }
  showChosenFiles();
})();
