import { readiness } from "@/lib/http/readiness";

export const dynamic = "force-dynamic";

/** Whether calls can be served now; 503 with every reason otherwise. */
export async function GET(): Promise<Response> {
  const { ready, reasons } = await readiness();
  return Response.json({ ready, reasons }, { status: ready ? 200 : 503, headers: { "cache-control": "no-store" } });
}
