// Passkeys: a form with data-passkey ("new" or "use") carries the options; the browser's answer goes back in it.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function opened(options) {
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const name of ["excludeCredentials", "allowCredentials"]) {
    options[name] = (options[name] || []).map((each) => ({ ...each, id: bytes(each.id) }));
  }
  return options;
}

function told(made) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = text(made.response[name]);
  }
  if (made.response.getTransports) response.transports = made.response.getTransports();
  return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  document.querySelectorAll("[data-no-passkey]").forEach((each) => (each.hidden = true));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = form.querySelector("[data-problem]");
    problem.hidden = true;
    try {
      const publicKey = opened(JSON.parse(form.dataset.options));
      const made = await navigator.credentials[form.dataset.passkey === "new" ? "create" : "get"]({ publicKey });
      form.elements.credential.value = told(made);
      form.submit();
    } catch {
      problem.hidden = false;
      form.querySelector("button").focus();
    }
  });
}
