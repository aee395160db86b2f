import { route } from "@/lib/http/route";
import { readSeries } from "@/lib/metrics/read-statistics";

export const dynamic = "force-dynamic";

export const GET = route(readSeries);
