import type { DoorAnswer } from "@/lib/mcp/door/door-request";
import { MEANING } from "@/lib/mcp/door/rpc-codes";

const text = [
  "# What the agents' door answers when it refuses",
  "",
  "Every refusal names a stable `code`, a `requestId`, and its `entry` in the audit trail.",
  ...Object.entries(MEANING).flatMap(([code, meaning]) => ["", `## ${code}`, "", meaning]),
  "",
].join("\n");

/** Where `data.docs` points. No server's slug holds a dot, so the path cannot hide one. */
export const errorPage = (): DoorAnswer => ({
  status: 200,
  headers: { "content-type": "text/markdown; charset=utf-8", "cache-control": "public, max-age=3600" },
  body: text,
});
