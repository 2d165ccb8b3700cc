// A user's way through the demo, in a real browser: ask, reject, approve, wait, escalate, come late, look on a phone.
//
//   node journey.mjs [folder for screenshots] [--picture card.png]
//
// It starts `countersign demo` itself, holds every step against what people read, and counts the effects in the
// company's own books. With --picture it only takes the README's picture of a waiting card.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const LOOK = "tell me about yourself";
const ASK = "refund ch_1042 640.00 EUR, customer was charged twice";
const titles = { Mia: "Mia, support lead", Jonas: "Jonas, finance", Priya: "Priya, head of finance operations" };
const LAPTOP = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };
const QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

const { shots, picture } = wishes(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "countersign-journey-"));
const demo = await openDemo(folder);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });
let step = "the start";
let broken = null;
try {
  if (picture) await takePicture(picture);
  else await journey();
} catch (error) {
  console.error(`journey: ${step}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  await demo.close();
  rmSync(folder, { recursive: true });
}

async function journey() {
  mkdirSync(shots, { recursive: true });
  const page = await open(LAPTOP);
  await watched(page);
  await stopped(page);
  await rejected(page);
  await approved(page);
  await escalated(page);
  await confirmedAndWithdrawn(page);
  await onAPhone();
  console.log("journey: every step was as expected");
}

// Tokens, the task list and the session, as they move.
async function watched(page) {
  step = "Mia watches the agent work";
  await write(page, LOOK);
  const thread = page.locator("#thread");
  const growing = thread.locator(".growing");
  await sees(thread.locator(".tasks"), ["Thinking"]);
  await growing.filter({ hasText: /\S/ }).waitFor();
  const early = (await growing.innerText()).trim();
  await page.shot("0-growing");
  await sees(page.locator("#session"), ["Working"]);
  await sees(thread, ["so that you can watch it being written, word by word."]);
  const late = (await thread.locator(".message").last().innerText()).trim();
  if (early.length >= late.length) throw new Error(`nothing grew between "${early}" and "${late}"`);
  await page.locator("#session").waitFor({ state: "hidden" });
  await page.shot("0-written");

  step = "Mia sees that a person is waited for, and that the thread goes on";
  await ask(page, "pay invoice V-7720", "vendor.pay_invoice waits for");
  await sees(page.locator("#session"), ["Waiting for a person"]);
  await sees(thread.locator(".tasks"), ["Approval of vendor.pay_invoice"]);
  await page.shot("0-suspended");
  await page.become("Jonas");
  await page.go("approvals");
  await page.card("Please decide: vendor.pay_invoice").getByRole("button", { name: "Approve" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Approve" }).click();
  await sees(page.card("Approved and done: vendor.pay_invoice"), ["Approved by @Jonas"]);
  await page.become("Mia");
  await page.thread(2);
  await sees(thread.locator(".tasks").last(), ["Running vendor.pay_invoice"]);
  await sees(thread, ["for invoice V-7720."]);
  await page.shot("0-gone-on");
}

async function stopped(page) {
  step = "Mia stops the agent";
  await ask(page, "pay invoice V-7721", "vendor.pay_invoice waits for");
  await page.locator("#session").getByRole("button", { name: "Stop" }).click();
  await sees(page.locator("#thread"), ["Stopped. Nothing more is done"]);
  await page.shot("0-stopped");
  await page.become("Jonas");
  await page.go("approvals");
  await sees(page.card("Cancelled: vendor.pay_invoice"), ["Withdrawn by @Mia"]);
}

async function rejected(page) {
  step = "Mia asks and Jonas rejects";
  await ask(page);
  await page.shot("1-asked");
  await page.become("Jonas");
  await page.go("approvals");
  const card = page.card("Please decide: payments.refund");
  await sees(card, ["amount = 640", 'charge = "ch_1042"', "An approval needs a reason"]);
  await page.shot("1-card");
  await card.getByRole("button", { name: "Reject" }).click();
  await page.answer("Reject this?", "Reject", "it was one charge, the second is a hold", "1-dialog");
  await sees(page.card("Rejected: payments.refund"), ["Rejected by @Jonas", "one charge", "What ran: Nothing"]);
  await page.shot("1-card-rejected");
  await page.become("Mia");
  await page.thread(4);
  await sees(page.locator("#thread"), ["rejected payments.refund, so nothing ran", "it was one charge, the second is a hold"]);
  await page.shot("1-told");
  effects(0);
}

async function approved(page) {
  step = "Mia asks again and Jonas approves";
  await ask(page);
  await page.become("Jonas");
  await page.go("approvals");
  await page.card("Please decide: payments.refund").getByRole("button", { name: "Approve" }).click();
  await page.answer("Approve this?", "Approve", "checked with the bank", "2-dialog");
  await sees(page.card("Approved and done: payments.refund"), ["Approved by @Jonas", "checked with the bank", 'refund = "refund_1002"']);
  await page.shot("2-card-approved");
  await page.become("Mia");
  await page.thread(5);
  await sees(page.locator("#thread"), ["approved payments.refund", "Done: refund refund_1002 over 640 EUR is on its way."]);
  await page.shot("2-told");
  effects(1);
}

async function escalated(page) {
  step = "nobody answers, and the managers are asked";
  await ask(page);
  const late = await pageThatStandsStill("Lena", "approvals");
  await page.become("Jonas");
  await page.go("approvals");
  const asked = page.card("Please decide: payments.refund");
  await sees(asked, ["If nobody decides"]);
  await page.nextTimer();
  await asked.getByRole("button", { name: "1 reply" }).click();
  await sees(page.locator("#thread"), [/Still waiting for a decision: payments.refund. Time left here: (19|20) min/]);
  await page.shot("3-reminder");
  await page.nextTimer();
  await sees(page.locator("#thread"), [/Time left here: (9|10) min/]);
  await page.nextTimer();
  await page.become("Priya");
  await page.go("managers");
  const card = page.card("Escalated, please decide: payments.refund");
  await sees(card, ["Not decided in time by", "finance", "An approval needs a reason"]);
  await page.shot("3-escalated");
  await card.getByRole("button", { name: "Approve" }).click();
  await page.answer("Approve this?", "Approve", "seen the statement myself");
  await sees(page.card("Approved and done: payments.refund"), ["Approved by @Priya", "refund_1003"]);
  await page.shot("3-approved");
  effects(2);
  await tooLate(late);
}

async function tooLate(page) {
  step = "Lena presses a button that is no longer there";
  await page.shot("3-lena-before");
  await page.card("Please decide: payments.refund").getByRole("button", { name: "Approve" }).click();
  const note = page.locator("#messages .message", { hasText: "Only visible to you" });
  await sees(note, ["Priya", "approved"]);
  await sees(page.card("Approved and done: payments.refund").last(), ["Approved by @Priya"]);
  await page.shot("3-lena-told");
  effects(2);
}

async function confirmedAndWithdrawn(page) {
  step = "Mia withdraws, and Jonas confirms a payment";
  await ask(page);
  await page.locator("#thread").getByRole("button", { name: "Withdraw" }).click();
  const confirm = page.getByRole("alertdialog");
  await sees(confirm, ["Withdraw it?", "Nobody can approve it any more"]);
  await page.shot("5-withdraw");
  await confirm.getByRole("button", { name: "Withdraw" }).click();
  await sees(page.locator("#thread"), ["Withdrawn by @Mia", "payments.refund was cancelled by Mia, so nothing ran."]);
  await ask(page, "pay invoice V-7719", "vendor.pay_invoice waits for");
  await page.go("App Home");
  await sees(page.locator("#messages"), ["vendor.pay_invoice, asked by Mia"]);
  await page.shot("5-home");
  await page.become("Jonas");
  await page.go("approvals");
  await page.card("Please decide: vendor.pay_invoice").getByRole("button", { name: "Approve" }).click();
  await sees(confirm, ['invoice = "V-7719"']);
  await page.shot("5-confirm");
  await confirm.getByRole("button", { name: "Approve" }).click();
  await sees(page.card("Approved and done: vendor.pay_invoice"), ["Approved by @Jonas"]);
  await page.shot("5-paid");
  effects(2);
}

async function onAPhone() {
  step = "Jonas looks on his phone";
  await ask(await open(LAPTOP));
  const page = await open(PHONE, "Jonas");
  await page.getByRole("button", { name: "Channels" }).click();
  await page.locator("#side.open").getByRole("button", { name: "approvals" }).waitFor();
  await page.shot("4-phone-channels");
  await page.go("approvals");
  const card = page.card("Please decide: payments.refund");
  await sees(card, ["amount = 640"]);
  await page.shot("4-phone-card");
  await card.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog", { name: "Approve this?" }).waitFor();
  await page.shot("4-phone-dialog");
}

async function takePicture(file) {
  step = "the picture";
  await ask(await open(LAPTOP));
  const page = await open({ width: 1040, height: 900 }, "Jonas", { deviceScaleFactor: 2 });
  await page.go("approvals");
  await sees(page.card("Please decide: payments.refund"), ["amount = 640"]);
  await page.screenshot({ path: file });
  // A quarter of the size where that tool is at hand.
  spawnSync("pngquant", ["--force", "--strip", "--output", file, file]);
}

// What a user does, by the words on the page.
async function open(viewport, name, { deaf = false, ...options } = {}) {
  const context = await browser.newContext({ viewport, locale: "en-GB", timezoneId: "UTC", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => { broken = error; });
  if (deaf) await page.route("**/sandbox/events", (route) => route.abort());
  await page.goto(name ? `${demo.url}/?as=U0${name.toUpperCase()}` : demo.url);
  await page.locator("#side [data-place]").first().waitFor({ state: "attached" });
  return Object.assign(page, {
    become: (who) => page.getByLabel("Who you are").selectOption({ label: titles[who] }),
    go: (place) => page.locator("#side").getByRole("button", { name: place }).click(),
    card: (headline) => page.locator("#messages .message", { has: page.getByRole("heading", { name: headline, exact: true }) }).last(),
    thread: async (nth) => { await page.go("Countersign"); await page.locator("#messages .message .replies").nth(nth - 1).click(); },
    nextTimer: () => page.getByRole("button", { name: "Next timer" }).click(),
    shot: (name) => shot(page, name),
    answer: (title, button, reason, shot) => answer(page, title, button, reason, shot),
  });
}

async function shot(page, name) {
  if (broken) throw new Error(`the page is broken: ${broken.message}`);
  await page.screenshot({ path: join(shots, `${name}.png`), animations: "disabled" });
}

// On a laptop the thread of what was asked opens by itself.
async function ask(page, words = ASK, answer = "payments.refund waits for") {
  await write(page, words);
  await sees(page.locator("#thread"), [answer]);
}

async function write(page, words) {
  await page.become("Mia");
  await page.go("Countersign");
  await page.getByRole("textbox", { name: "Message", exact: true }).first().fill(words);
  await page.keyboard.press("Enter");
}

async function answer(page, title, button, reason, shot) {
  const dialog = page.getByRole("dialog", { name: title });
  await dialog.getByRole("textbox").fill(reason);
  if (shot) await page.shot(shot);
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

// A page that hears of no change, as one on a train: its buttons are the ones it saw.
async function pageThatStandsStill(name, place) {
  const page = await open(LAPTOP, name, { deaf: true });
  await page.go(place);
  await page.card("Please decide: payments.refund").waitFor();
  return page;
}

async function sees(place, texts) {
  for (const text of texts) {
    try {
      await place.filter({ hasText: text }).first().waitFor();
    } catch {
      const read = await place.allInnerTexts();
      throw new Error(`"${text}" is not to be read; what is there: ${JSON.stringify(read.join("\n---\n"))}`);
    }
  }
}

// The company's own books tell what happened.
function effects(expected) {
  const query = "import sqlite3,sys,json; db=sqlite3.connect(f'file:{sys.argv[1]}?mode=ro',uri=True); " +
    "print(json.dumps([db.execute(f\"SELECT count(*) FROM {of}='refund'\").fetchone()[0] for of in ('ledger WHERE kind','journal WHERE call')]))";
  const [paid, called] = JSON.parse(execFileSync("python3", ["-c", query, join(folder, "company.db")], { encoding: "utf8" }));
  if (paid !== expected || called !== expected) {
    throw new Error(`the company has ${paid} refunds from ${called} calls, not ${expected}`);
  }
}

async function openDemo(folder) {
  const port = await freePort();
  const child = spawn(join(root, "target", "debug", "countersign"), ["demo", "--port", String(port), "--folder", folder],
    { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const told = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => line.includes("The desk is open") && resolve("open"));
  });
  if ((await Promise.race([told, ended])) !== "open") throw new Error("the demo did not open");
  return { url: `http://127.0.0.1:${port}`, close: () => { child.kill("SIGINT"); return ended; } };
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function wishes(args) {
  const at = args.indexOf("--picture");
  const picture = at < 0 ? null : resolve(args.splice(at, 2)[1] ?? "card.png");
  return { shots: resolve(args[0] ?? join(root, "target", "screenshots")), picture };
}
