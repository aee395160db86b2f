import { switchTenant } from "@/lib/auth/switch-tenant";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(switchTenant);
