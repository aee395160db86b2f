import { route } from "@/lib/http/route";
import { readTenantLights } from "@/lib/metrics/read-tenant-lights";

export const dynamic = "force-dynamic";

export const GET = route(readTenantLights);
