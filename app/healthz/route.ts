export const dynamic = "force-dynamic";

/** The process answers. Says nothing about what it needs; that is /readyz. */
export function GET(): Response {
  return new Response("ok\n", {
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
