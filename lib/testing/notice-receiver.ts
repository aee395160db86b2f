import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { enqueueNotices } from "@/lib/channels/enqueue-notices";
import type { Notice } from "@/lib/channels/schemas";
import { newId } from "@/lib/core/ids";
import { inTenant } from "@/lib/db/in-tenant";

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string };

/** How the receiver answers: a status, `hang`, or something that is done before it answers 200. */
export type Answer = number | "hang" | { readonly status: number; readonly headers: Readonly<Record<string, string>> };

export type Receiver = {
  readonly url: string;
  readonly received: Received[];
  /** May be changed while it runs. */
  answer: (got: Received) => Answer | Promise<Answer>;
  readonly close: () => Promise<void>;
};

/** A real HTTP server that keeps what is posted to it. On `port` where one is given, so that it can come back there. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const got = { headers: request.headers, body: Buffer.concat(chunks).toString("utf8"), path: request.url ?? "" };
    received.push(got);
    const answer = await receiver.answer(got);
    if (answer === "hang") return;
    if (typeof answer === "number") response.writeHead(answer).end("ok");
    else response.writeHead(answer.status, answer.headers).end("x".repeat(100_000));
  };
  const server = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/t0p-s3cret?token=q-s3cret`,
    received,
    answer: () => 200,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

/** Writes a notice as the alerts do, in a transaction of its own. */
export async function tell(tenantId: string, over: Partial<Notice> = {}): Promise<string> {
  const notice: Notice = {
    alertId: newId(),
    event: "firing",
    severity: "critical",
    title: "billing is slow",
    text: "P95 of billing was 7.2 s over the last 5 minutes, above 5 s.",
    ...{ server: "billing", tool: null, value: 7_200, threshold: 5_000 },
    at: new Date().toISOString(),
    ...over,
  };
  await inTenant(tenantId, (tx) => enqueueNotices(tx, notice));
  return notice.alertId;
}
