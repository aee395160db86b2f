import { route } from "@/lib/http/route";
import { createTenant } from "@/lib/tenants/create-tenant";
import { listTenants } from "@/lib/tenants/read";

export const dynamic = "force-dynamic";

export const GET = route(listTenants);
export const POST = route(createTenant);
