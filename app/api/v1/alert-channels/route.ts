import { createChannel } from "@/lib/channels/create-channel";
import { listChannels } from "@/lib/channels/read";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const GET = route(listChannels);
export const POST = route(createChannel);
