// The page of the sandbox: a workspace to look at, write in and press buttons in, as anybody.
import { blocks, clock, el, mrkdwn } from "./blocks.js";
import { confirmed, modal, toast } from "./dialogs.js";

const $ = (id) => document.getElementById(id);
const HOME = "home";
const asked = new URLSearchParams(location.search);
const seen = {};
let state = null;
let me = asked.get("as") ?? sessionStorage.getItem("me");
let here = asked.get("in") ?? sessionStorage.getItem("here");
let thread = null;

const look = {
  person: (id) => state.people.find((person) => person.id === id)?.name ?? id,
  channel: (id) => state.channels.find((channel) => channel.id === id)?.name ?? id,
};

async function post(path, body) {
  const result = await fetch(`/sandbox/${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ as: me, ...body }),
  }).then((answer) => answer.json()).catch(() => ({ ok: false, error: "The sandbox does not answer. Is the demo still running?" }));
  if (result.ok === false) toast(result.error ?? "The bot did not answer. Nothing happened; try again.");
  await refresh();
  return result;
}

async function refresh() {
  const answer = await fetch(`/sandbox/state?as=${encodeURIComponent(me ?? "")}`).catch(() => null);
  if (!answer?.ok) return;
  state = await answer.json();
  me = state.me;
  draw();
}

function draw() {
  if (here !== HOME && !state.channels.some((channel) => channel.id === here)) {
    here = state.channels.find((channel) => channel.kind === "dm")?.id ?? state.channels[0]?.id;
  }
  sessionStorage.setItem("me", me);
  sessionStorage.setItem("here", here);
  tellTime();
  drawPeople();
  drawSide();
  drawMain();
  drawThread();
  modal(state.open_modal, { look, press, post });
}

function tellTime() {
  $("now").textContent = clock(state.now_ms);
  $("now").title = new Date(state.now_ms).toLocaleString();
}

function drawPeople() {
  const people = state.people.filter((person) => person.kind === "person");
  const list = people.map((person) => el("option", { value: person.id, selected: person.id === me },
    person.title ? `${person.name}, ${person.title}` : person.name));
  if ($("me").childElementCount !== list.length || $("me").value !== me) $("me").replaceChildren(...list);
}

// Brings a list up to date and leaves alone what did not change: focus, selection and a press in progress survive.
function keep(list, scope, items, make) {
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, nth) => {
    const key = `${scope} ${JSON.stringify(item)}`;
    const node = old.get(key) ?? make(item);
    node.dataset.key = key;
    old.delete(key);
    if (list.children[nth] !== node) list.insertBefore(node, list.children[nth] ?? null);
  });
  while (list.childElementCount > items.length) list.lastElementChild.remove();
}

function drawSide() {
  const of = (kinds) => state.channels.filter((channel) => kinds.includes(channel.kind)).map(({ id, kind, name }) => ({ id, kind, name }));
  const entries = [{ heading: "Channels" }, ...of(["channel", "private"]), { heading: "Apps and messages" }, ...of(["dm"]),
    { id: HOME, kind: "home", name: "App Home" }, { hints: state.hints ?? [] }];
  for (const entry of entries.filter((one) => one.id)) {
    const newest = state.messages[entry.id]?.at(-1)?.ts ?? "";
    entry.here = entry.id === here;
    if (entry.here) seen[`${me} ${entry.id}`] = newest;
    entry.unread = newest > (seen[`${me} ${entry.id}`] ?? "");
  }
  keep($("side"), me, entries, (entry) => entry.heading ? el("h2", {}, entry.heading) : entry.hints ? hints(entry.hints) : place(entry));
}

const SIGNS = { channel: "#", private: "", dm: "✓", home: "⌂" };

function place({ id, kind, name, here, unread }) {
  return el("button", { "aria-current": here ? "page" : null, class: unread ? "unread" : "", "data-place": id, onclick: () => go(id) },
    el("span", { class: `sign ${kind}`, "aria-hidden": "true" }, SIGNS[kind]), name, unread ? el("span", { class: "badge" }, "new") : null);
}

function hints(list) {
  return el("div", { class: "hints", hidden: !list.length }, el("b", {}, "Try this"), el("ol", {}, list.map((hint) =>
    el("li", {}, hint.text, hint.say ? el("button", { onclick: () => say(hint.say) }, `“${hint.say}”`) : null))));
}

function drawMain() {
  const list = $("messages");
  const channel = state.channels.find((one) => one.id === here);
  const title = channel ? `${channel.kind === "dm" ? "" : "#"}${channel.name}` : "App Home";
  $("place").textContent = title;
  $("topic").textContent = channel ? channel.topic : "What waits for you, and what you asked for";
  $("compose").hidden = !channel;
  if (!channel) {
    keep(list, `${me} ${HOME}`, [state.home_view ?? null], (view) => el("li", { class: "home" }, view
      ? blocks(view.blocks, look, press({})) : el("p", { class: "empty" }, "Nothing here yet.")));
    return;
  }
  const roots = (state.messages[here] ?? []).filter((message) => !message.thread_ts || message.thread_ts === message.ts);
  drawMessages(list, here, roots, true);
  composer($("compose"), `Message ${title}`, async (text) => {
    const { ts } = await post("write", { channel: here, text });
    // The agent answers in the thread, so that is where to look; on a phone it would cover everything.
    if (ts && channel.kind === "dm" && innerWidth > 760) open(ts);
  });
}

function drawMessages(list, of, messages, withReplies) {
  const last = list.lastElementChild;
  const fresh = list.dataset.of !== `${me} ${of}`;
  const followed = fresh || !last || list.scrollTop > Math.min(last.offsetTop, list.scrollHeight - list.clientHeight) - 60;
  const before = list.dataset.last;
  list.dataset.of = `${me} ${of}`;
  list.dataset.last = messages.at(-1)?.ts ?? "";
  const nothing = { nothing: here.startsWith("D") ? "Ask the agent for something." : "Nothing here yet." };
  keep(list, list.dataset.of, messages.length ? messages : [nothing], (message) => message.nothing
    ? el("li", { class: "empty" }, message.nothing) : drawMessage(message, withReplies));
  const mine = messages.at(-1)?.user === me || messages.at(-1)?.ephemeral_for;
  if (fresh || (list.dataset.last !== before && (followed || mine))) showNewest(list);
}

// To the end, but never past the first line of the newest message: a card is read from its top.
function showNewest(list) {
  const room = parseFloat(getComputedStyle(list).paddingTop);
  list.scrollTop = Math.min(list.lastElementChild.offsetTop - room, list.scrollHeight);
}

function drawMessage(message, withReplies) {
  const person = state.people.find((one) => one.id === message.user);
  const name = person?.name ?? message.user;
  const app = person?.kind === "bot";
  const body = message.blocks?.length ? blocks(message.blocks, look, press({ channel: here, ts: message.ts }))
    : message.tasks ? written(message) : el("div", { class: "text" }, el("p", {}, mrkdwn(message.text ?? "", look)));
  return el("li", { class: `message ${message.ephemeral_for ? "private" : ""}`, "data-ts": message.ts },
    el("span", { class: `face ${app ? "bot" : `c${tint(message.user)}`}`, "aria-hidden": "true" }, app ? "✓" : initials(name)),
    el("div", {},
      el("div", { class: "by" }, el("b", {}, name), app ? el("span", { class: "app" }, "APP") : null,
        el("time", {}, clock(Number(message.ts) * 1000)), message.ephemeral_for ? el("span", { class: "note" }, "Only visible to you") : null),
      tasks(message), body, withReplies && !message.ephemeral_for ? replies(message) : null));
}

// What grows is Markdown, and may not be finished.
function written({ text, grows }) {
  const words = (text ?? "").replace(/\*\*/g, "*").split(/\n{2,}/);
  return el("div", { class: grows ? "text growing" : "text" }, words.map((part) => el("p", {}, mrkdwn(part, look))));
}

const MARKS = { pending: "○", in_progress: "◐", complete: "●", error: "✕" };

function tasks({ tasks: list }) {
  if (!list?.length) return null;
  return el("ul", { class: "tasks", "aria-label": "What is being done" }, list.map(({ title, status }) =>
    el("li", { class: status, "data-status": status }, el("span", { class: "dot", "aria-hidden": "true" }, MARKS[status]), title,
      el("small", {}, status.replace("_", " ")))));
}

// How the conversation stands, as Slack shows it under the thread.
function session(root) {
  const line = $("session");
  const words = { processing: "Working…", suspended: "Waiting for a person" }[root?.session];
  line.hidden = !words;
  if (!words || line.dataset.of === `${thread} ${root.session}`) return;
  line.dataset.of = `${thread} ${root.session}`;
  const press = () => post("stop", { channel: here, thread_ts: thread });
  line.replaceChildren(el("span", { class: root.session }, words), el("button", { type: "button", onclick: press }, "Stop"));
}

function replies({ ts, reply_count: count }) {
  if (!count) return el("button", { class: "replies none", onclick: () => open(ts) }, "Reply in thread");
  const last = state.messages[here].findLast((message) => message.thread_ts === ts);
  return el("button", { class: "replies", onclick: () => open(ts) }, `${count} ${count === 1 ? "reply" : "replies"}`,
    last ? el("small", {}, `Last reply ${clock(Number(last.ts) * 1000)}`) : null);
}

// One of eight colours, always the same for the same person.
const tint = (id) => [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 8, 7);
const initials = (name) => name.split(/\s+/).map((word) => word[0]).join("").slice(0, 2).toUpperCase();

function drawThread() {
  const pane = $("thread");
  const messages = (state.messages[here] ?? []).filter((message) => message.ts === thread || message.thread_ts === thread);
  pane.hidden = !thread || !messages.length;
  if (pane.hidden) return;
  drawMessages(pane.querySelector("ol"), thread, messages, false);
  session(messages.find((message) => message.ts === thread));
  composer(pane.querySelector("form"), "Reply…", (text) => post("write", { channel: here, thread_ts: thread, text }));
}

function composer(form, placeholder, send) {
  let box = form.querySelector("textarea");
  if (!box) {
    box = el("textarea", { rows: 1, "aria-label": "Message" });
    form.replaceChildren(box, el("button", { class: "send" }, "Send"));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
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
    if (part.confirm && !(await confirmed(part.confirm, look))) return;
    button.setAttribute("aria-busy", "true");
    await post("click", { ...at, button: { ...part, block_id: block.block_id } });
    button.removeAttribute("aria-busy");
  };
}

function go(id) {
  here = id;
  thread = null;
  menu(false);
  draw();
  if (id === HOME) post("home", {});
}

function open(ts) { thread = ts; draw(); }

function menu(opened) {
  $("side").classList.toggle("open", opened);
  $("menu").setAttribute("aria-expanded", String(opened));
}

async function say(text) {
  const dm = state.channels.find((channel) => channel.kind === "dm");
  if (!dm) return;
  go(dm.id);
  const { ts } = await post("write", { channel: dm.id, text });
  if (ts && innerWidth > 760) open(ts);
}

$("me").addEventListener("change", (event) => {
  me = event.target.value;
  thread = null;
  history.replaceState(null, "", "/");
  refresh();
});
$("shut").addEventListener("click", () => open(null));
$("menu").addEventListener("click", (event) => { event.stopPropagation(); menu(!$("side").classList.contains("open")); });
document.addEventListener("click", (event) => { if (!event.target.closest("#side")) menu(false); });
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
setInterval(() => { if (state) { state.now_ms += 1000; tellTime(); } }, 1000);
refresh();
