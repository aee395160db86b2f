import { route } from "@/lib/http/route";
import { listMembers } from "@/lib/members/read";

export const dynamic = "force-dynamic";

export const GET = route(listMembers);
