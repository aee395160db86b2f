import { route } from "@/lib/http/route";
import { changeTenant } from "@/lib/tenants/change-tenant";

export const dynamic = "force-dynamic";

export const PATCH = route(changeTenant);
