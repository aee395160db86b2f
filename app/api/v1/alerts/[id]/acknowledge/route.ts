import { acknowledgeAlert } from "@/lib/alerts/acknowledge-alert";
import { route } from "@/lib/http/route";

export const dynamic = "force-dynamic";

export const POST = route(acknowledgeAlert);
