import { changeRoleGrants } from "@/lib/access/change-role-grants";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const PUT = route(changeRoleGrants);
