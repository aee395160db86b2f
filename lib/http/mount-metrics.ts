import type { IncomingMessage, ServerResponse } from "node:http";
import { logger } from "@/lib/core/logger";
import { serveMetrics } from "@/lib/http/serve-metrics";

/** True for requests of Prometheus. */
export const isForMetrics = (url: string): boolean => /^\/api\/metrics(?:\?|$)/.test(url);

/** The figures on a plain `node:http` server, for a process that has no pages to serve them. */
export async function mountMetrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { authorization } = request.headers;
    const isGet = request.method === "GET" || request.method === "HEAD";
    const answer = isGet
      ? await serveMetrics(
          new Request("http://localhost/api/metrics", { headers: { ...(authorization && { authorization }) } }),
        )
      : new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    const body = await answer.text();
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(request.method === "HEAD" ? undefined : body);
  } catch (cause) {
    logger.error({ err: cause }, "the figures could not be told");
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}
