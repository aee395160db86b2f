import fc from "fast-check";
import { expect, it } from "vitest";
import { callAnswer } from "@/lib/mcp/door/call-answer";
import type { Envelope } from "@/lib/mcp/door/envelope";
import type { Json } from "@/lib/mcp/upstream/protocol";

const ENTRY = "01a221e6-ab46-744b-bf39-190887af0e4c";
const LIMIT = { scope: "agent", limit: 10, remaining: 9, resetMs: 1 } as const;
const OURS = "dev.countersign/";
const SERVER = "io.modelcontextprotocol/serverInfo";

function textTo(result: Json, era: Envelope["era"], id: string | number = 7): string {
  const envelope = { id, era } as Envelope;
  const outcome = { ok: true, entry: ENTRY, latencyMs: 1, limit: LIMIT, result } as const;
  const { status, text, error } = callAnswer(envelope, outcome, "request-1");
  expect([status, error]).toEqual([200, null]);
  return String(text);
}

const answerTo = (...given: Parameters<typeof textTo>): Json => JSON.parse(textTo(...given));

/** Objects as a server may send them, names of every kind among their keys. */
const theirs = fc.dictionary(
  fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("content", "isError", "__proto__", "toJSON", "resultType")),
  fc.jsonValue(),
  { noNullPrototype: true },
);

it("passes on what a server said, whatever it is, and speaks for itself", () => {
  fc.assert(
    fc.property(
      theirs,
      fc.option(theirs, { nil: undefined }),
      fc.constantFrom("modern", "legacy"),
      fc.oneof(fc.string(), fc.integer()),
      (result, meta, era, id) => {
        // As it came over the wire: a value that JSON knows.
        const sent = JSON.parse(JSON.stringify(meta === undefined ? result : { ...result, _meta: meta })) as Json;
        const answer = answerTo(sent, era, id);
        const { _meta, resultType, ...rest } = answer["result"] as Json;
        const { _meta: before, resultType: type, ...all } = sent;
        expect(answer["id"]).toBe(id);
        expect(rest).toEqual(all);
        expect(resultType).toBe(era === "legacy" ? undefined : type === "input_required" ? type : "complete");
        const { [SERVER]: server, [`${OURS}entry`]: entry, [`${OURS}limit`]: limit, ...passed } = _meta as Json;
        expect({ entry, limit }).toEqual({ entry: ENTRY, limit: LIMIT });
        expect(server === undefined).toBe(era === "legacy");
        const kept = Object.entries((before as Json | undefined) ?? {}).filter(
          ([name]) => name !== SERVER && !name.startsWith(OURS),
        );
        expect(Object.entries(passed)).toEqual(kept);
      },
    ),
  );
});

it("lets no server name an entry, or speak as somebody else", () => {
  const names = [`${OURS}entry`, `${OURS}error`, `${OURS}limit`, SERVER];
  const forged = { _meta: { ...Object.fromEntries(names.map((name) => [name, "forged"])), mine: 1 } };
  for (const era of ["modern", "legacy"] as const) {
    // In the text itself: a name that stands there twice is one thing to one client and another to the next.
    expect(textTo(forged, era)).not.toContain("forged");
    expect((answerTo(forged, era)["result"] as Json)["_meta"]).toMatchObject({ [`${OURS}entry`]: ENTRY, mine: 1 });
  }
});
