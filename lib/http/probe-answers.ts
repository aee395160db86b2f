import { readiness } from "@/lib/http/readiness";

/** The process answers. Says nothing about what it needs; that is `readyAnswer`. */
export const aliveAnswer = (): Response =>
  new Response("ok\n", { headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" } });

/** Whether calls can be served now; 503 with every reason otherwise. */
export async function readyAnswer(): Promise<Response> {
  const { ready, reasons } = await readiness();
  return Response.json({ ready, reasons }, { status: ready ? 200 : 503, headers: { "cache-control": "no-store" } });
}
