import { expect, it } from "vitest";
import type { Grant } from "@/lib/gateway/authorize";
import { counterpart } from "@/lib/gateway/converse";
import type { ToolCall } from "@/lib/gateway/tool-call";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import type { RegisteredServer } from "@/lib/servers/registered-server";

/** A server that asks whatever the client has said. */
const pushy = {
  request: async () => ({
    result: { resultType: "input_required", inputRequests: { q: { method: "sampling/createMessage", params: {} } } },
    bytes: 1,
  }),
} as unknown as Upstream;
const gateway = { upstreams: { of: () => pushy } } as unknown as Parameters<typeof counterpart>[0];
const grant = { server: { deadlineMs: 1_000, slug: "pushy" } as RegisteredServer } as Grant;

it("lets no server ask for what the client did not offer", async () => {
  const client = { capabilities: {}, dialogue: {}, takesInputRequests: true, retry: null };
  const deadline = startDeadline(1_000);
  const request = { method: "tools/call", params: {}, deadline };
  const call = { client } as unknown as ToolCall;
  await expect(counterpart(gateway, grant, call).request(request)).rejects.toMatchObject({
    code: "upstream_protocol",
    message: expect.stringContaining("did not offer"),
  });
  deadline.release();
});
