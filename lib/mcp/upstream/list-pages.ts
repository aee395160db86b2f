import { broken } from "@/lib/mcp/upstream/faults";
import { isRecord, type Json, MAX_ANSWER_BYTES, type Upstream } from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

const MAX_PAGES = 100;
/** Of one list, over all its pages; they are held until the last one is there. */
const MAX_ITEMS = 5_000;
const MAX_BYTES = MAX_ANSWER_BYTES;

/** Everything a server lists under `member`, over all pages. Throws `upstream_protocol` where that is no list, or too much. */
export async function listPages(
  upstream: Upstream,
  method: string,
  member: string,
  deadline: Deadline,
): Promise<readonly Json[]> {
  const items: Json[] = [];
  let params: Json = {};
  let size = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { result, bytes } = await upstream.request({ method, params, deadline });
    const { [member]: listed, nextCursor: next } = result;
    if (!Array.isArray(listed)) throw broken(`its list of ${member} is not a list`);
    size += bytes;
    if (size > MAX_BYTES) throw broken(`its list of ${member} is larger than ${MAX_BYTES} bytes`);
    items.push(...listed.filter(isRecord));
    if (items.length > MAX_ITEMS) throw broken(`it lists more than ${MAX_ITEMS} ${member}`);
    if (typeof next !== "string" || next === "") break;
    params = { cursor: next };
  }
  return items;
}
