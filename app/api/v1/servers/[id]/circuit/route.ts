import { route } from "@/lib/http/route";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";

export const dynamic = "force-dynamic";

export const POST = route(actOnCircuit);
