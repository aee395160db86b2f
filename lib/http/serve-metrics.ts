import { createHash, timingSafeEqual } from "node:crypto";
import { env } from "@/lib/env";
import { EXPOSITION_TYPE, exposition } from "@/lib/metrics/exposition";
import { processFamilies } from "@/lib/metrics/process-families";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const plain = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(text, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...headers },
  });

/** Answers Prometheus. Without METRICS_TOKEN there is nothing here; with it, it must be presented. */
export async function serveMetrics(request: Request): Promise<Response> {
  const token = env().METRICS_TOKEN;
  if (token === undefined) return plain(404, "Not found\n");
  const given = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  // Of equal length, whatever was given.
  if (!timingSafeEqual(digest(given), digest(token))) {
    return plain(401, "Present METRICS_TOKEN as a bearer token.\n", { "www-authenticate": "Bearer" });
  }
  return plain(200, exposition(await processFamilies("scrape")), { "content-type": EXPOSITION_TYPE });
}
