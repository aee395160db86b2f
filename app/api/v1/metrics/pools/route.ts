import { route } from "@/lib/http/route";
import { readPools } from "@/lib/metrics/read-pools";

export const dynamic = "force-dynamic";

export const GET = route(readPools);
