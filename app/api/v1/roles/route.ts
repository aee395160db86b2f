import { route } from "@/lib/http/route";
import { createRole } from "@/lib/members/change-role";
import { listRoles } from "@/lib/members/read";

export const dynamic = "force-dynamic";

export const GET = route(listRoles);
export const POST = route(createRole);
