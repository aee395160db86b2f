import { route } from "@/lib/http/route";
import { changeTenantLimits } from "@/lib/limits/change-limits";
import { getTenantLimits } from "@/lib/limits/read";

export const dynamic = "force-dynamic";

export const GET = route(getTenantLimits);
export const PUT = route(changeTenantLimits);
