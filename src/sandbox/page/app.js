// The page of the sandbox: a workspace to look at, write in and press buttons in, as anybody.
import { blocks, el, mrkdwn } from "./blocks.js";

const $ = (id) => document.getElementById(id);
const seen = {};
let state = null;
let me = new URLSearchParams(location.search).get("as") ?? sessionStorage.getItem("me");
let here = new URLSearchParams(location.search).get("in") ?? sessionStorage.getItem("here");
let thread = null;

const look = {
  person: (id) => state.people.find((person) => person.id === id)?.name ?? id,
  channel: (id) => state.channels.find((channel) => channel.id === id)?.name ?? id,
};
const HOME = "home";

async function post(path, body) {
  const answer = await fetch(`/sandbox/${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ as: me, ...body }),
  });
  const result = await answer.json().catch(() => ({ ok: false }));
  if (!answer.ok || result.ok === false) toast(result.error ?? "The bot did not answer. Nothing happened; try again.");
  await refresh();
  return result;
}

async function refresh() {
  const answer = await fetch(`/sandbox/state?as=${encodeURIComponent(me ?? "")}`);
  if (!answer.ok) return;
  state = await answer.json();
  me = state.me;
  draw();
}

function draw() {
  sessionStorage.setItem("me", me);
  if (here !== HOME && !state.channels.some((channel) => channel.id === here)) {
    here = state.channels.find((channel) => channel.kind === "dm")?.id ?? state.channels[0]?.id;
  }
  sessionStorage.setItem("here", here);
  $("now").textContent = clock(state.now_ms);
  $("now").title = new Date(state.now_ms).toLocaleString();
  drawPeople();
  drawSide();
  drawMain();
  drawThread();
  drawModal();
}

const clock = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function drawPeople() {
  const people = state.people.filter((person) => person.kind !== "bot" && person.kind !== "deactivated");
  const list = people.map((person) => el("option", { value: person.id, selected: person.id === me },
    person.title ? `${person.name}, ${person.title}` : person.name));
  if ($("me").childElementCount !== list.length || $("me").value !== me) $("me").replaceChildren(...list);
}

function drawSide() {
  const entry = (id, sign, name) => {
    const newest = state.messages[id]?.at(-1)?.ts ?? "";
    if (id === here) seen[`${me} ${id}`] = newest;
    const unread = newest > (seen[`${me} ${id}`] ?? "") && id !== here;
    return el("button", {
      "aria-current": id === here ? "page" : null, class: unread ? "unread" : "", "data-place": id,
      onclick: () => go(id),
    }, el("span", {}, sign), name, unread ? el("span", { class: "badge" }, "new") : null);
  };
  const of = (kinds) => state.channels.filter((channel) => kinds.includes(channel.kind));
  const hints = (state.hints ?? []).map((hint) => el("li", {}, hint.text,
    hint.say ? el("button", { onclick: () => say(hint.say) }, `“${hint.say}”`) : null));
  $("side").replaceChildren(
    el("h2", {}, "Channels"),
    ...of(["channel", "private"]).map((channel) => entry(channel.id, channel.kind === "private" ? "🔒" : "#", channel.name)),
    el("h2", {}, "Apps and messages"),
    ...of(["dm"]).map((channel) => entry(channel.id, "✓", channel.name)),
    entry(HOME, "⌂", "App Home"),
    hints.length ? el("div", { class: "hints" }, el("b", {}, "Try this"), el("ol", {}, hints)) : "",
  );
}

function drawMain() {
  const list = $("messages");
  if (here === HOME) {
    $("place").textContent = "App Home";
    $("topic").textContent = "What waits for you, and what you asked for";
    $("compose").hidden = true;
    list.replaceChildren(el("li", { class: "message" }, el("span"), state.home_view
      ? blocks(state.home_view.blocks, look, press({ home: true }))
      : el("p", { class: "empty" }, "Nothing here yet.")));
    return;
  }
  const channel = state.channels.find((one) => one.id === here);
  $("place").textContent = `${channel.kind === "dm" ? "" : "#"}${channel.name}`;
  $("topic").textContent = channel.topic ?? "";
  const roots = (state.messages[here] ?? []).filter((message) => !message.thread_ts || message.thread_ts === message.ts || message.broadcast);
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60 || list.dataset.place !== here;
  list.dataset.place = here;
  list.replaceChildren(...(roots.length ? roots.map((message) => draw1(message, true))
    : [el("li", { class: "empty" }, channel.kind === "dm" ? "Say hello to the agent." : "Nothing here yet.")]));
  if (atEnd) list.scrollTop = list.scrollHeight;
  composer($("compose"), channel.kind === "dm" ? `Message ${channel.name}` : `Message #${channel.name}`, (text) => post("write", { channel: here, text }));
}

function draw1(message, withReplies) {
  const person = state.people.find((one) => one.id === message.user);
  const name = message.name ?? person?.name ?? message.user;
  const body = message.blocks?.length ? blocks(message.blocks, look, press({ channel: here, ts: message.ts }))
    : el("div", { class: "text" }, el("p", {}, mrkdwn(message.text ?? "", look)));
  const replies = message.reply_count
    ? el("button", { class: "replies", onclick: () => open(message.ts) }, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`)
    : el("button", { class: "replies", onclick: () => open(message.ts) }, "Reply in thread");
  return el("li", { class: `message ${message.ephemeral_for ? "private" : ""}`, "data-ts": message.ts },
    el("span", { class: `face c${tint(message.user ?? name)}`, "aria-hidden": "true" }, initials(name)),
    el("div", {},
      message.ephemeral_for ? el("p", { class: "note" }, "Only visible to you") : null,
      el("div", { class: "by" }, el("b", {}, name), person?.kind === "bot" ? el("span", { class: "app" }, "APP") : null,
        el("time", {}, clock(Number(message.ts) * 1000)), message.edited ? el("span", { class: "note" }, "(edited)") : null),
      body, withReplies && !message.ephemeral_for ? replies : null));
}

// One of eight colours, always the same for the same person.
const tint = (id) => [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 8, 7);
const initials = (name) => name.split(/\s+/).map((word) => word[0]).join("").slice(0, 2).toUpperCase();

function drawThread() {
  const pane = $("thread");
  pane.hidden = !thread || here === HOME;
  if (pane.hidden) return;
  const all = state.messages[here] ?? [];
  const messages = all.filter((message) => message.ts === thread || message.thread_ts === thread);
  if (!messages.length) { thread = null; pane.hidden = true; return; }
  let list = pane.querySelector("ol");
  if (pane.dataset.of !== thread) {
    pane.dataset.of = thread;
    list = el("ol", { class: "messages" });
    const form = el("form", { class: "compose" });
    pane.replaceChildren(el("div", { class: "title" }, el("h1", {}, "Thread"),
      el("button", { class: "shut", "aria-label": "Close the thread", onclick: () => open(null) }, "×")), list, form);
    composer(form, "Reply…", (text) => post("write", { channel: here, thread_ts: thread, text }));
  }
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  list.replaceChildren(...messages.map((message) => draw1(message, false)));
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function composer(form, placeholder, send) {
  form.hidden = false;
  let box = form.querySelector("textarea");
  if (!box) {
    box = el("textarea", { rows: 1, "aria-label": "Message" });
    const button = el("button", { class: "send" }, "Send");
    form.replaceChildren(box, button);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); form.requestSubmit(); }
    });
  }
  box.placeholder = placeholder;
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    send(text);
  };
}

function press(at) {
  return async (part, block, button) => {
    if (part.confirm && !(await confirmed(part.confirm))) return;
    button.setAttribute("aria-busy", "true");
    const result = await post("click", { ...at, button: { ...part, block_id: block.block_id } });
    button.removeAttribute("aria-busy");
    if (result.ok === false) button.classList.add("failed");
  };
}

function confirmed(confirm) {
  return new Promise((resolve) => {
    const answer = (yes) => { veil.remove(); resolve(yes); };
    const go = el("button", { class: `press ${confirm.style ?? "primary"}`, onclick: () => answer(true) }, confirm.confirm.text);
    const body = confirm.text.type === "mrkdwn" ? mrkdwn(confirm.text.text, look) : confirm.text.text;
    const veil = el("div", { class: "veil", onkeydown: (event) => event.key === "Escape" && answer(false) },
      el("div", { class: "dialog small", role: "alertdialog", "aria-modal": "true", "aria-label": confirm.title.text },
        el("header", {}, el("h2", {}, confirm.title.text)),
        el("div", { class: "body text" }, el("p", {}, body)),
        el("footer", {}, el("button", { class: "press", onclick: () => answer(false) }, confirm.deny.text), go)));
    document.body.append(veil);
    go.focus();
  });
}

function drawModal() {
  const open = state.open_modal;
  const layer = $("layer");
  const key = open ? `${open.view_id} ${open.view.hash ?? ""} ${JSON.stringify(open.view.blocks)}` : "";
  if (layer.dataset.key === key) return;
  layer.dataset.key = key;
  if (!open) { layer.replaceChildren(); return; }
  const { view, view_id } = open;
  const close = () => post("close", { view_id });
  const form = el("form", {
    class: "dialog", role: "dialog", "aria-modal": "true", "aria-label": view.title.text,
    onkeydown: (event) => event.key === "Escape" && close(),
    onsubmit: (event) => { event.preventDefault(); submit(form, view_id); },
  },
    el("header", {}, el("h2", {}, view.title.text), el("button", { class: "shut", type: "button", "aria-label": "Close", onclick: close }, "×")),
    el("div", { class: "body" }, blocks(view.blocks, look, press({ view_id }))),
    el("footer", {}, el("button", { class: "press", type: "button", onclick: close }, view.close?.text ?? "Close"),
      view.submit ? el("button", { class: "press primary" }, view.submit.text) : null));
  layer.replaceChildren(el("div", { class: "veil" }, form));
  (form.querySelector("textarea, input") ?? form.querySelector(".press"))?.focus();
}

async function submit(form, view_id) {
  const values = {};
  for (const field of form.querySelectorAll("[name]")) {
    const [block, action] = field.name.split("\u0000");
    (values[block] ??= {})[action] = field.value;
  }
  const result = await post("submit", { view_id, values });
  for (const label of form.querySelectorAll("[data-block]")) {
    label.querySelector(".error").textContent = result.errors?.[label.dataset.block] ?? "";
  }
}

function go(id) {
  here = id;
  thread = null;
  $("side").classList.remove("open");
  $("menu").setAttribute("aria-expanded", "false");
  draw();
  if (id === HOME) post("home", {});
}

function open(ts) { thread = ts; draw(); }

async function say(text) {
  const dm = state.channels.find((channel) => channel.kind === "dm");
  if (dm) { go(dm.id); await post("write", { channel: dm.id, text }); }
}

let hush;
function toast(words) {
  $("toast").replaceChildren(el("p", {}, words));
  clearTimeout(hush);
  hush = setTimeout(() => $("toast").replaceChildren(), 5000);
}

$("me").addEventListener("change", (event) => { me = event.target.value; thread = null; refresh(); });
$("menu").addEventListener("click", () => {
  const opened = $("side").classList.toggle("open");
  $("menu").setAttribute("aria-expanded", String(opened));
});
for (const button of document.querySelectorAll("[data-forward]")) {
  button.addEventListener("click", () => post("clock", { forward_ms: Number(button.dataset.forward) }));
}
document.querySelector("[data-next]").addEventListener("click", () => post("clock", { to: "next" }));

let due = false;
const ticks = new EventSource("/sandbox/events");
ticks.onmessage = () => {
  if (due) return;
  due = true;
  setTimeout(() => { due = false; refresh(); }, 60);
};
setInterval(() => { if (state) $("now").textContent = clock(state.now_ms += 1000); }, 1000);
refresh();
