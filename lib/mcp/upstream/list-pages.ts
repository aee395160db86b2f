import { broken } from "@/lib/mcp/upstream/faults";
import { isRecord, type Json, MAX_ANSWER_BYTES, type Upstream } from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

const MAX_PAGES = 100;
/** Of one list, over all its pages; they are held until the last one is there. */
export const MAX_ITEMS = 5_000;
const MAX_BYTES = MAX_ANSWER_BYTES;

/** What was read of a list. Where it has no end, `cut` says so in words, and what is behind that is not known. */
export type Listing<T> = { readonly items: readonly T[]; readonly cut: string | null };

/**
 * What a server lists under `member`, over all pages, up to a hundred of them. Throws `upstream_protocol` where that is no
 * list, or too much.
 */
export async function listPages(
  upstream: Upstream,
  method: string,
  member: string,
  deadline: Deadline,
): Promise<Listing<Json>> {
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
    if (typeof next !== "string" || next === "") return { items, cut: null };
    params = { cursor: next };
  }
  const cut = `Its list of ${member} does not end within ${MAX_PAGES} pages; it was cut after ${items.length}.`;
  return { items, cut };
}
