import { route } from "@/lib/http/route";
import { readSeries } from "@/lib/metrics/read-series";

export const dynamic = "force-dynamic";

export const GET = route(readSeries);
