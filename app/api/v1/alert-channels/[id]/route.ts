import { changeChannel, deleteChannel } from "@/lib/channels/change-channel";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const PATCH = route(changeChannel);
export const DELETE = route(deleteChannel);
