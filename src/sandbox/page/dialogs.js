// What opens above the page: confirm dialogs, the bot's own dialogs, and notes that go away by themselves.
import { blocks, el, mrkdwn } from "./blocks.js";

const note = document.getElementById("toast");

// A dialog of the browser's own: it keeps the focus inside, and Escape closes it.
function show(parts, { label, role, small, close }) {
  const box = el("dialog", {
    class: small ? "dialog small" : "dialog", role, "aria-label": label,
    oncancel: (event) => { event.preventDefault(); close(); },
  }, parts);
  document.body.append(box);
  box.showModal();
  return box;
}

// Asks before a button that wants to be confirmed is pressed.
export function confirmed(confirm, look) {
  return new Promise((resolve) => {
    const answer = (yes) => { box.remove(); resolve(yes); };
    const yes = el("button", { class: `press ${confirm.style ?? "primary"}`, onclick: () => answer(true) }, confirm.confirm.text);
    const body = confirm.text.type === "mrkdwn" ? mrkdwn(confirm.text.text, look) : confirm.text.text;
    const box = show([
      el("header", {}, el("h2", {}, confirm.title.text)),
      el("div", { class: "body text" }, el("p", {}, body)),
      el("footer", {}, el("button", { class: "press", onclick: () => answer(false) }, confirm.deny.text), yes),
    ], { label: confirm.title.text, role: "alertdialog", small: true, close: () => answer(false) });
    yes.focus();
  });
}

let shown = { key: "", box: null };

// Shows the dialog that the bot opened for this person, as it is now; drawn again only when it changed.
export function modal(open, { look, press, post }) {
  const key = open ? `${open.view_id} ${JSON.stringify(open.view)}` : "";
  if (shown.key === key) return;
  shown.box?.remove();
  shown = { key, box: open ? bots(open, { look, press, post }) : null };
}

function bots({ view, view_id }, { look, press, post }) {
  const close = () => post("close", { view_id });
  const form = el("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); submit(form, view_id, post); } },
    el("header", {}, el("h2", {}, view.title.text), el("button", { class: "shut", type: "button", "aria-label": "Close", onclick: close }, "×")),
    el("div", { class: "body" }, blocks(view.blocks, look, press({ view_id }))),
    el("footer", {}, el("button", { class: "press", type: "button", onclick: close }, view.close?.text ?? "Close"),
      view.submit ? el("button", { class: "press primary" }, view.submit.text) : null));
  const box = show(form, { label: view.title.text, close });
  (form.querySelector("textarea, input") ?? form.querySelector("footer .press"))?.focus();
  return box;
}

async function submit(form, view_id, post) {
  const values = {};
  const missing = {};
  for (const field of form.querySelectorAll("[name]")) {
    const [block, action] = field.name.split("\u0000");
    (values[block] ??= {})[action] = field.value;
    // Slack's client refuses an empty field by itself; text of spaces alone is left to the bot.
    if (field.required && !field.value) missing[block] = "Please complete this required field.";
  }
  if (Object.keys(missing).length) return complain(form, missing);
  const send = form.querySelector("footer .primary");
  send.setAttribute("aria-busy", "true");
  const result = await post("submit", { view_id, values });
  send.removeAttribute("aria-busy");
  complain(form, result.errors ?? {});
}

function complain(form, errors) {
  for (const label of form.querySelectorAll("[data-block]")) {
    const field = label.querySelector("[name]");
    const error = errors[label.dataset.block];
    label.querySelector(".error").textContent = error ?? "";
    field.setAttribute("aria-invalid", String(Boolean(error)));
    if (error) field.focus();
  }
}

let hush;
// A note above everything else, dialogs too.
export function toast(words) {
  note.replaceChildren(el("p", {}, words));
  note.hidePopover();
  note.showPopover();
  clearTimeout(hush);
  hush = setTimeout(() => note.hidePopover(), 5000);
}
