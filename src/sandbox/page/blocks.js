// Block Kit as DOM. Everything from a message becomes text nodes; nothing is ever parsed as HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

// `look` tells names and colours: {person(id), channel(id), now}. `press(element, block)` is called for buttons.
export function blocks(list, look, press) {
  return el("div", { class: "blocks" }, (list ?? []).map((block) => one(block, look, press)));
}

function one(block, look, press) {
  switch (block.type) {
    case "section":
      return el("div", { class: "section" },
        block.fields
          ? el("div", { class: "fields" }, block.fields.map((field) => text(field, look)))
          : el("div", {}, text(block.text, look)),
        block.accessory ? element(block.accessory, block, look, press) : null);
    case "header": return el("h3", {}, plain(block.text.text));
    case "divider": return el("hr");
    case "context": return el("div", { class: "context" }, block.elements.map((part) => text(part, look)));
    case "actions":
      return el("div", { class: "actions" }, block.elements.map((part) => element(part, block, look, press)));
    case "rich_text": return el("div", { class: "text" }, block.elements.map((part) => rich(part, look)));
    case "markdown": return el("div", { class: "text" }, el("p", {}, mrkdwn(block.text.replace(/\*\*/g, "*"), look)));
    case "input": return input(block);
    default: return el("p", { class: "note" }, `(a ${block.type} block)`);
  }
}

function element(part, block, look, press) {
  if (part.type !== "button") return el("span", { class: "note" }, `(a ${part.type})`);
  if (part.url) return link(part, block, press);
  return el("button", {
    class: `press ${part.style ?? ""}`, type: "button", "data-action": part.action_id,
    onclick: (event) => press?.(part, block, event.currentTarget),
  }, plain(part.text.text));
}

// Opens in a tab of its own; Slack tells the bot of the click as well.
function link(part, block, press) {
  return el("a", {
    class: `press ${part.style ?? ""}`, href: safe(part.url), target: "_blank", rel: "noopener noreferrer",
    onclick: (event) => press?.(part, block, event.currentTarget),
  }, plain(part.text.text));
}

function input(block) {
  const field = block.element;
  const attributes = {
    name: `${block.block_id}\u0000${field.action_id}`, maxlength: field.max_length,
    placeholder: field.placeholder?.text, rows: field.multiline ? 3 : undefined,
    required: !block.optional,
  };
  const box = el(field.multiline ? "textarea" : "input", attributes);
  box.value = field.initial_value ?? "";
  return el("label", { class: "input", "data-block": block.block_id },
    el("span", {}, plain(block.label.text), block.optional ? el("small", {}, " (optional)") : null), box,
    block.hint ? el("small", {}, plain(block.hint.text)) : null, el("span", { class: "error" }));
}

function text(object, look) {
  return el("p", {}, object.type === "mrkdwn" ? mrkdwn(object.text, look) : plain(object.text));
}

const plain = (words) => document.createTextNode(words);

function rich(part, look) {
  const inline = (items) => (items ?? []).map((item) => span(item, look));
  switch (part.type) {
    case "rich_text_section": return el("p", {}, inline(part.elements));
    case "rich_text_preformatted": return el("pre", {}, inline(part.elements));
    case "rich_text_quote": return el("blockquote", {}, inline(part.elements));
    case "rich_text_list":
      return el(part.style === "ordered" ? "ol" : "ul", {},
        part.elements.map((item) => el("li", {}, inline(item.elements))));
    default: return el("p", { class: "note" }, `(a ${part.type})`);
  }
}

function span(item, look) {
  switch (item.type) {
    case "text": {
      let node = plain(item.text);
      const { bold, italic, strike, code } = item.style ?? {};
      if (code) node = el("code", {}, node);
      if (bold) node = el("b", {}, node);
      if (italic) node = el("i", {}, node);
      if (strike) node = el("s", {}, node);
      return node;
    }
    case "user": return mention(`@${look.person(item.user_id)}`);
    case "channel": return mention(`#${look.channel(item.channel_id)}`);
    case "link": return el("a", { href: safe(item.url), rel: "noopener noreferrer" }, item.text ?? item.url);
    case "date": return date(item.timestamp, item.format, item.fallback);
    case "emoji": return plain(item.unicode ? String.fromCodePoint(...item.unicode.split("-").map((h) => parseInt(h, 16))) : `:${item.name}:`);
    default: return plain("");
  }
}

const mention = (words) => el("span", { class: "mention" }, words);
const safe = (url) => (/^https?:\/\//.test(url) ? url : "about:blank");
const unescape = (words) => words.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const MARKS = [
  [/^```([\s\S]+?)```/, (m) => el("pre", {}, unescape(m[1]))],
  [/^`([^`\n]+)`/, (m) => el("code", {}, unescape(m[1]))],
  [/^<@([A-Z0-9]+)(?:\|[^>]*)?>/, (m, look) => mention(`@${look.person(m[1])}`)],
  [/^<#([A-Z0-9]+)(?:\|([^>]*))?>/, (m, look) => mention(`#${m[2] || look.channel(m[1])}`)],
  [/^<!date\^(\d+)\^([^|>]*?)(?:\^[^|>]*)?\|([^>]*)>/, (m) => date(Number(m[1]), m[2], unescape(m[3]))],
  [/^<!(here|channel|everyone)(?:\|[^>]*)?>/, (m) => mention(`@${m[1]}`)],
  [/^<(https?:[^|>]+)(?:\|([^>]*))?>/, (m) => el("a", { href: safe(unescape(m[1])), rel: "noopener noreferrer" }, unescape(m[2] || m[1]))],
  [/^\*([^*\n]+)\*(?![\p{L}\p{N}])/u, (m, look) => el("b", {}, mrkdwn(m[1], look))],
  [/^_([^_\n]+)_(?![\p{L}\p{N}])/u, (m, look) => el("i", {}, mrkdwn(m[1], look))],
  [/^~([^~\n]+)~(?![\p{L}\p{N}])/u, (m, look) => el("s", {}, mrkdwn(m[1], look))],
];

// Slack's own markup. A mark opens only at the start of a word, as in Slack.
export function mrkdwn(words, look) {
  const out = [];
  let rest = words, pending = "", before = " ";
  const flush = () => { if (pending) out.push(plain(unescape(pending))); pending = ""; };
  while (rest) {
    const opens = /[<`]/.test(rest[0]) || (/[*_~]/.test(rest[0]) && !/[\p{L}\p{N}]/u.test(before));
    const hit = opens && MARKS.map(([mark, make]) => [rest.match(mark), make]).find(([match]) => match);
    if (hit) {
      flush();
      out.push(hit[1](hit[0], look));
      before = ">";
      rest = rest.slice(hit[0][0].length);
    } else {
      pending += rest[0];
      before = rest[0];
      rest = rest.slice(1);
    }
  }
  flush();
  return out;
}

// The time of day as the reader writes it.
export const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });

// The reader's own time zone, as Slack shows dates.
function date(seconds, format, fallback) {
  const at = new Date(seconds * 1000);
  const time = clock(at);
  const day = at.toLocaleDateString([], { month: "short", day: "numeric" });
  const words = format.replace(/\{time(_secs)?\}/g, time).replace(/\{date[a-z_]*\}/g, day).replace(/\{ago\}/g, `${day} ${time}`);
  return el("time", { datetime: at.toISOString(), title: fallback }, words.includes("{") ? fallback : words);
}
