import { route } from "@/lib/http/route";
import { changeProfile, deleteProfile } from "@/lib/profiles/change-profile";

export const dynamic = "force-dynamic";

export const PATCH = route(changeProfile);
export const DELETE = route(deleteProfile);
