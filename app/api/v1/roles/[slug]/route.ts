import { route } from "@/lib/http/route";
import { changeRole, deleteRole } from "@/lib/members/change-role";

export const dynamic = "force-dynamic";

export const PATCH = route(changeRole);
export const DELETE = route(deleteRole);
