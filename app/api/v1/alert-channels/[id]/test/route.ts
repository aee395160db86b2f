import { testChannel } from "@/lib/channels/test-channel";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(testChannel);
