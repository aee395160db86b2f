import { serveMetrics } from "@/lib/http/serve-metrics";

export const dynamic = "force-dynamic";

export const GET = serveMetrics;
