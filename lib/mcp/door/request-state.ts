import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { canonicalSha256 } from "@/lib/core/canonical-json";
import { AppError } from "@/lib/core/errors";
import { secretFor } from "@/lib/db/process-secrets";
import type { Identity } from "@/lib/gateway/identity";
import { spendOnce } from "@/lib/gateway/spent-states";
import type { ToolCall } from "@/lib/gateway/tool-call";

/** How long a client may take to come back with what it was asked for. */
const TTL_MS = 60 * 60_000;

type Call = Pick<ToolCall, "ref" | "args" | "ask">;

const payload = z.object({ s: z.string(), n: z.uuid(), x: z.number().int() });

const key = (): Buffer => secretFor("request-state");

/** What a state is for: it serves this caller, for this very request, and nobody else for anything else. */
function bindingOf(identity: Identity, { ref, args, ask }: Call): string {
  const { tenantId, actor } = identity;
  return canonicalSha256({ tenantId, actor: actor.id, ref, method: ask?.method ?? "tools/call", args });
}

function macOf(body: string, identity: Identity, call: Call): Buffer {
  return createHmac("sha256", key())
    .update(`${body}.${bindingOf(identity, call)}`)
    .digest();
}

/** Seals a server's state for the way through the client: bound to caller and request, for a while, for one use. */
export function sealState(identity: Identity, call: Call, state: string, now = Date.now()): string {
  const body = Buffer.from(JSON.stringify({ s: state, n: randomUUID(), x: now + TTL_MS })).toString("base64url");
  return `v1.${body}.${macOf(body, identity, call).toString("base64url")}`;
}

const refused = (): AppError =>
  new AppError(
    "invalid_input",
    "The requestState is not one that was given for this request, or it was used already.",
    {
      issues: [{ path: "params.requestState", rule: "must be the one that came with the question, once" }],
    },
  );

/** A server's state again, and what uses it up, for all processes; rejects with `invalid_input` where another call did so. */
export type OpenedState = { readonly state: string; readonly spend: () => Promise<void> };

/** Throws `invalid_input` for any other state than one that we sealed for this. */
export function openState(identity: Identity, call: Call, sealed: unknown, now = Date.now()): OpenedState {
  const [version, body, mac, more] = typeof sealed === "string" ? sealed.split(".") : [];
  if (version !== "v1" || body === undefined || mac === undefined || more !== undefined) throw refused();
  const given = Buffer.from(mac, "base64url");
  const wanted = macOf(body, identity, call);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw refused();
  // Buffer reads past what is no base64: only the one spelling that we wrote counts.
  if (given.toString("base64url") !== mac) throw refused();
  const { s, n, x } = payload.parse(JSON.parse(Buffer.from(body, "base64url").toString("utf8")));
  if (x <= now) throw refused();
  let spending: Promise<void> | null = null;
  const spend = async () => {
    if (!(await spendOnce(identity.tenantId, n, new Date(x)))) throw refused();
  };
  return {
    state: s,
    spend: () => {
      spending ??= spend();
      return spending;
    },
  };
}
