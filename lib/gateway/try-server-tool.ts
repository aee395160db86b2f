import "server-only";
import { defineWrite } from "@/lib/db/verbs";
import { tryTool } from "@/lib/gateway/try-tool";
import { tryToolInput } from "@/lib/servers/schemas";

/** A trial as a verb: the call takes the agents' road outside of any transaction, and leaves its own entries there. */
export const tryServerTool = defineWrite({
  permission: "tools:call",
  input: tryToolInput,
  prepare: (ctx, input) => tryTool(ctx, input),
  run: async (_tx, _ctx, { id, tool }, tried) => ({
    result: tried,
    audit: { action: "server.tried", target: id, after: { tool, ok: tried.ok, entry: tried.entry } },
  }),
});
