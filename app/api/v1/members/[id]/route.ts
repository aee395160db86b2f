import { route } from "@/lib/http/route";
import { changeMember } from "@/lib/members/change-member";

export const dynamic = "force-dynamic";

export const PATCH = route(changeMember);
