import { openApiDocument } from "@/lib/http/openapi";

export const dynamic = "force-dynamic";

/** Public on purpose: it describes the interface and holds nobody's data. */
export function GET(): Response {
  return Response.json(openApiDocument());
}
