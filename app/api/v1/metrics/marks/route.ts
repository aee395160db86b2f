import { route } from "@/lib/http/route";
import { readMarks } from "@/lib/metrics/read-marks";

export const dynamic = "force-dynamic";

export const GET = route(readMarks);
