import { route } from "@/lib/http/route";
import { inviteMember } from "@/lib/members/invite-member";
import { listInvitations } from "@/lib/members/read";

export const dynamic = "force-dynamic";

export const GET = route(listInvitations);
export const POST = route(inviteMember);
