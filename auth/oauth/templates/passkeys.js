// Passkeys. Without this script, or in a browser that has none, the pages work by password.
const form = document.getElementById("passkey");
const api = window.PublicKeyCredential;
if (form && api && api.parseRequestOptionsFromJSON && api.parseCreationOptionsFromJSON) {
  const options = JSON.parse(form.dataset.options);
  const status = form.querySelector("[role=alert]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.textContent = "";
    try {
      const credential = form.dataset.kind === "create"
        ? await navigator.credentials.create({ publicKey: api.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: api.parseRequestOptionsFromJSON(options) });
      form.elements.answer.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch (error) {
      status.textContent = error.name === "InvalidStateError"
        ? "This device has a passkey for your account already."
        : "No passkey was used. Try again, or go on by password.";
    }
  });
}
