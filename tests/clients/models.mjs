// An independent stand-in for model providers (aimock), with the answers of the wire tests. Prints
// its address and lives until its standard input ends.
import { LLMock } from "@copilotkit/aimock";

const calls = [
  {
    id: "call_refund",
    name: "payments__refund",
    arguments: '{"charge": "ch_1", "amount": 640, "currency": "EUR", "reason": "late"}',
  },
  { id: "call_lookup", name: "orders__lookup", arguments: '{"order": "1042"}' },
  {
    id: "call_invoice",
    name: "vendor__pay_invoice",
    arguments: '{"invoice": "V-7719", "amount": 12400, "currency": "EUR", "due": "today"}',
  },
];

const mock = new LLMock({ port: 0 });
const on = (match, response, more = {}) => mock.addFixture({ match, response, ...more });

// The results must come in the order of the calls, each once.
const inOrder = (request) =>
  request.messages
    .filter((message) => message.role === "tool")
    .map((message) => message.tool_call_id)
    .join() === calls.map((call) => call.id).join();
on(
  { userMessage: "all three", hasToolResult: true, predicate: inOrder },
  { content: "All three are seen to." },
);
const asked = { userMessage: "all three", hasToolResult: false };
on({ ...asked, sequenceIndex: 0 }, { error: { message: "slow down" }, status: 429, retryAfter: 40 });
on(
  { ...asked, sequenceIndex: 1 },
  { content: "I see to all three.", toolCalls: calls },
  { chunkSize: 4, latency: 5, truncateAfterChunks: 12 },
);
on({ ...asked, sequenceIndex: 2 }, { content: "I see to all three.", toolCalls: calls }, { chunkSize: 4 });
on({ userMessage: "too long" }, { content: "As I was saying", finishReason: "length" });
on({ userMessage: "forbidden" }, { content: "As I was saying", finishReason: "content_filter" });

await mock.start();
console.log(mock.url);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
