// Holds every block and view that Countersign sends against the types Slack publishes.
//
//   node blocks.mjs <folder of samples>
//
// Each sample is a JSON file: {"name", "root": "MessageBlocks" | "ModalView" | "HomeView", "value"}. It is compiled as
// a TypeScript constant of Slack's type, so that an unknown or missing field is an error.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
if (!folder) throw new Error("usage: node blocks.mjs <folder of samples>");

const types = { MessageBlocks: "KnownBlock[]", ModalView: "ModalView", HomeView: "HomeView" };
const samples = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
if (samples.length === 0) throw new Error(`no samples in ${folder}`);

const lines = ['import type { HomeView, KnownBlock, ModalView } from "@slack/types";'];
for (const [nth, name] of samples.entries()) {
  const { root, value } = JSON.parse(readFileSync(join(folder, name), "utf8"));
  if (!(root in types)) throw new Error(`${name}: unknown root ${root}`);
  lines.push(`// ${name}`, `export const sample${nth}: ${types[root]} = ${JSON.stringify(value, null, 1)};`);
}
// A check that cannot fail proves nothing: this block must be refused.
lines.push("// @ts-expect-error", 'export const wrong: KnownBlock[] = [{ type: "section", txt: "no" }];');

const generated = join(here, "generated");
mkdirSync(generated, { recursive: true });
const file = join(generated, "samples.ts");
writeFileSync(file, lines.join("\n"));
const tsc = join(here, "node_modules", "typescript", "bin", "tsc");
try {
  execFileSync(process.execPath, [tsc, "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext",
    "--moduleResolution", "nodenext", "--target", "es2022", file], { stdio: "inherit", cwd: here });
} catch {
  console.error("Slack's types refuse what we send; the line above names the sample.");
  process.exit(1);
}
console.log(`${samples.length} samples pass Slack's own types`);
