import { route } from "@/lib/http/route";
import { createProfile } from "@/lib/profiles/change-profile";
import { listProfiles } from "@/lib/profiles/read";

export const dynamic = "force-dynamic";

export const GET = route(listProfiles);
export const POST = route(createProfile);
