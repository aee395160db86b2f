import { route } from "@/lib/http/route";
import { endMemberSessions, listMemberSessions } from "@/lib/members/member-sessions";

export const dynamic = "force-dynamic";

export const GET = route(listMemberSessions);
export const DELETE = route(endMemberSessions);
