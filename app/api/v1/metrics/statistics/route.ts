import { route } from "@/lib/http/route";
import { readStatistics } from "@/lib/metrics/read-statistics";

export const dynamic = "force-dynamic";

export const GET = route(readStatistics);
