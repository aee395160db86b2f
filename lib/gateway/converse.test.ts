import { expect, it } from "vitest";
import type { AppError } from "@/lib/core/errors";
import { singleton } from "@/lib/core/singleton";
import type { Grant } from "@/lib/gateway/authorize";
import { counterpart } from "@/lib/gateway/converse";
import type { ToolCall } from "@/lib/gateway/tool-call";
import { voteOf } from "@/lib/mcp/upstream/faults";
import type { Upstream, UpstreamRequest } from "@/lib/mcp/upstream/protocol";
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
const idle = { ...gateway, inFlight: { enter: () => () => undefined, size: () => 0, close: () => undefined } };
const grant = {
  server: { deadlineMs: 1_000, slug: "pushy" } as RegisteredServer,
  identity: { actor: {} },
  ref: {},
} as unknown as Grant;

/** Puts a server of one's own behind the clients that can do this. */
const serverFor = (capabilities: object, request: Upstream["request"]) =>
  singleton("gateway.interactive-upstreams", () => new Map<string, unknown>()).set(JSON.stringify(capabilities), {
    of: () => ({ request }),
  });

it.each([true, false])(
  "lets no server ask in the middle of a call for what was not offered, in turns: %s",
  async (stateless) => {
    const asked: string[] = [];
    const capabilities = { roots: {} };
    const onRequest = async (method: string) => ({ asked: asked.push(method) });
    const dialogue = stateless ? {} : { onRequest };
    serverFor(capabilities, async ({ dialogue: open }) => ({
      result: (await open?.onRequest?.("sampling/createMessage", {})) ?? {},
      bytes: 1,
    }));
    const call = {
      client: { capabilities, dialogue, takesInputRequests: stateless, retry: null },
    } as unknown as ToolCall;
    const deadline = startDeadline(1_000);
    const talk = counterpart(idle, grant, call).request({ method: "tools/call", params: {}, deadline });
    await expect(talk).rejects.toThrow("did not offer");
    expect(asked).toEqual([]);
    deadline.release();
  },
);

const putsOff = { resultType: "input_required", requestState: "later" };

it("tries again with a server's state as often as is reasonable, and calls putting off no fault", async () => {
  const sent: unknown[] = [];
  const busy = (times: number) => ({
    upstreams: {
      of: () => ({
        request: async ({ params }: UpstreamRequest) => {
          sent.push(params);
          return { result: sent.length > times ? { content: [] } : putsOff, bytes: 1 };
        },
      }),
    },
  });
  const deadline = startDeadline(1_000);
  const ask = (times: number) => {
    sent.length = 0;
    const gateway = busy(times) as unknown as Parameters<typeof counterpart>[0];
    return counterpart(gateway, grant, {} as ToolCall).request({
      method: "tools/call",
      params: { name: "x" },
      deadline,
    });
  };
  expect((await ask(2)).result).toEqual({ content: [] });
  expect(sent).toEqual([{ name: "x" }, { name: "x", requestState: "later" }, { name: "x", requestState: "later" }]);
  const given = await ask(Number.POSITIVE_INFINITY).catch((cause: AppError) => cause);
  expect(given).toMatchObject({ code: "upstream_error" });
  expect(voteOf(given as AppError)).toBe("abstain");
  expect(sent).toHaveLength(9);
  deadline.release();
});

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
