import type { IncomingMessage, ServerResponse } from "node:http";
import { logger } from "@/lib/core/logger";
import { aliveAnswer, readyAnswer } from "@/lib/http/probe-answers";
import { serveMetrics } from "@/lib/http/serve-metrics";

/** What a process answers that has no pages: what those ask who watch it and who send it calls. */
const SERVED: Readonly<Record<string, (request: Request) => Response | Promise<Response>>> = {
  "/api/metrics": serveMetrics,
  "/healthz": aliveAnswer,
  "/readyz": readyAnswer,
};

/** The same answers that the console's routes give, on a plain `node:http` server; 404 for everything else. */
export async function serveWithoutPages(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const answer = await answerOf(request);
    const body = await answer.text();
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(request.method === "HEAD" ? undefined : body);
  } catch (cause) {
    logger.error({ err: cause }, "a process without pages could not answer");
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

async function answerOf({ url = "/", method, headers: { authorization } }: IncomingMessage): Promise<Response> {
  const path = url.split("?", 1)[0] ?? "/";
  const serve = Object.hasOwn(SERVED, path) ? SERVED[path] : undefined;
  if (serve === undefined) return new Response(null, { status: 404 });
  if (method !== "GET" && method !== "HEAD") {
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  }
  return await serve(new Request(`http://localhost${path}`, { headers: { ...(authorization && { authorization }) } }));
}
