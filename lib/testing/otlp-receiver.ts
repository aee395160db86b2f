import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Nanoseconds since the epoch. */
  readonly from: bigint;
  readonly to: bigint;
  readonly failed: boolean;
};
export type ReceivedMetric = { readonly name: string; readonly body: Readonly<Record<string, unknown>> };

/** What becomes of what is sent: it is taken, refused, or never answered. */
export type Mood = "takes" | "refuses" | "hangs";

export type OtlpReceiver = {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly metrics: ReceivedMetric[];
  readonly requests: {
    readonly path: string;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly text: string;
  }[];
  readonly resources: Readonly<Record<string, unknown>>[];
  mood: Mood;
  readonly close: () => Promise<void>;
};

type Pair = { key: string; value: Record<string, unknown> };
type RawSpan = Record<"traceId" | "spanId" | "name" | "startTimeUnixNano" | "endTimeUnixNano", string> & {
  parentSpanId?: string;
  traceState?: string;
  kind: number;
  attributes?: Pair[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number };
};
type Body = {
  resourceSpans?: { resource: { attributes: Pair[] }; scopeSpans: { spans: RawSpan[] }[] }[];
  resourceMetrics?: { resource: { attributes: Pair[] }; scopeMetrics: { metrics: ({ name: string } & object)[] }[] }[];
};

const toRecord = (pairs: readonly Pair[] = []) =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));

const toSpan = (raw: RawSpan): ReceivedSpan => ({
  traceId: raw.traceId,
  spanId: raw.spanId,
  parentSpanId: raw.parentSpanId ?? "",
  traceState: raw.traceState ?? "",
  name: raw.name,
  kind: raw.kind,
  attributes: toRecord(raw.attributes),
  links: (raw.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
  from: BigInt(raw.startTimeUnixNano),
  to: BigInt(raw.endTimeUnixNano),
  failed: raw.status?.code === 2,
});

/** A receiver of OpenTelemetry over HTTP and JSON, which keeps what it was sent. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const requests: OtlpReceiver["requests"] = [];
  const resources: OtlpReceiver["resources"] = [];

  function take(text: string): void {
    const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(text) as Body;
    for (const { resource, scopeSpans } of resourceSpans) {
      resources.push(toRecord(resource.attributes));
      spans.push(...scopeSpans.flatMap((scope) => scope.spans.map(toSpan)));
    }
    for (const { resource, scopeMetrics } of resourceMetrics) {
      resources.push(toRecord(resource.attributes));
      for (const { name, ...body } of scopeMetrics.flatMap((scope) => scope.metrics)) metrics.push({ name, body });
    }
  }

  function answer(text: string, response: ServerResponse): void {
    if (receiver.mood === "hangs") return;
    if (receiver.mood === "refuses") return void response.writeHead(400).end();
    take(text);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      requests.push({ path: request.url ?? "", headers: request.headers, text });
      answer(text, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ spans, metrics, requests, resources },
    mood: "takes",
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}
