import { route } from "@/lib/http/route";
import { readCircuits } from "@/lib/metrics/read-circuits";

export const dynamic = "force-dynamic";

export const GET = route(readCircuits);
