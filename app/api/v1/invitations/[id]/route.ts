import { route } from "@/lib/http/route";
import { revokeInvitation } from "@/lib/members/invite-member";

export const dynamic = "force-dynamic";

export const DELETE = route(revokeInvitation);
