import { route } from "@/lib/http/route";
import { readOverview } from "@/lib/metrics/read-overview";

export const dynamic = "force-dynamic";

export const GET = route(readOverview);
