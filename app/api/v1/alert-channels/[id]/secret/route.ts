import { rotateChannelSecret } from "@/lib/channels/change-channel";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(rotateChannelSecret);
