import { route } from "@/lib/http/route";
import { readHealth } from "@/lib/metrics/read-health";

export const dynamic = "force-dynamic";

export const GET = route(readHealth);
