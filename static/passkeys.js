/*
 * Passkeys. A part of a page that is marked with data-passkey asks the browser for one; see
 * templates/identity/passkey.html. Where the browser cannot, the part stays hidden and the page says so.
 */
(() => {
  "use strict";

  const able =
    window.PublicKeyCredential?.parseRequestOptionsFromJSON &&
    window.PublicKeyCredential?.parseCreationOptionsFromJSON;

  async function post(address, token, fields = {}) {
    const body = new URLSearchParams({ csrf_token: token, ...fields });
    const answer = await fetch(address, { method: "POST", body, credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    return answer;
  }

  async function ask(part, token) {
    const options = await (await post(part.dataset.options, token)).json();
    const credential =
      part.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    return JSON.stringify(credential.toJSON());
  }

  async function run(part, told) {
    const form = part.closest("form");
    const token = part.dataset.token ?? form.elements.csrf_token.value;
    const credential = await ask(part, token);
    if (part.dataset.send) {
      await post(part.dataset.send, token, { credential });
      told.textContent = part.dataset.done;
    } else {
      form.elements.credential.value = credential;
      form.requestSubmit();
    }
  }

  for (const part of document.querySelectorAll("[data-passkey]")) {
    if (!able) continue;
    part.hidden = false;
    part.nextElementSibling?.matches("[data-passkey-absent]") && (part.nextElementSibling.hidden = true);
    const button = part.querySelector("[data-passkey-start]");
    const told = part.querySelector("[data-passkey-told]");
    button.addEventListener("click", async () => {
      told.textContent = "";
      button.setAttribute("aria-disabled", "true");
      try {
        await run(part, told);
      } catch (error) {
        // Refused by the person, by the device or by us: the page stays as it was, with what was typed.
        told.textContent = part.dataset.failed;
      } finally {
        button.removeAttribute("aria-disabled");
      }
    });
  }
})();
